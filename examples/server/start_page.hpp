// The page for people who open the server in a browser.
#pragma once

#include <greenroom/http/server.hpp>

/// Answers a browser with a page that says what each endpoint shows, and everybody else with `Hello, World!`.
greenroom::http::response start_page(greenroom::http::request r, const greenroom::http::server* front);
