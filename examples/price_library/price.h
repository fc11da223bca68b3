/* Prices, for programs in C or anything that calls C: a shared library that has actors inside and does not say so. */
#pragma once

#define PRICE_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/** Starts the service. Returns 0; -1 if it runs already or could not start. Any thread. */
PRICE_API int price_start(void);

/** Asks what so many pieces cost. Returns 0 and sets `cents`; -1 if there is no such item, or the service does not run. Waits. Any thread. */
PRICE_API int price_of(const char* item, int pieces, long* cents);

/** Stops the service, with its threads. It can be started again. Any thread. */
PRICE_API void price_stop(void);

#ifdef __cplusplus
}
#endif
