/* A program in C that loads the library, uses it and unloads it, several times: program libprice.so */
#include <dirent.h>
#include <dlfcn.h>
#include <sched.h>
#include <stdio.h>

static int threads(void) {
  int n = 0;
  DIR* tasks = opendir("/proc/self/task");
  for (const struct dirent* one = readdir(tasks); one != NULL; one = readdir(tasks)) n += one->d_name[0] != '.';
  closedir(tasks);
  return n;
}

int main(int argc, char** argv) {
  for (int round = 1; round <= 3; ++round) {
    void* library = dlopen(argc > 1 ? argv[1] : "./libprice.so", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
    int (*start)(void) = (int (*)(void))dlsym(library, "price_start");
    int (*price)(const char*, int, long*) = (int (*)(const char*, int, long*))dlsym(library, "price_of");
    void (*stop)(void) = (void (*)(void))dlsym(library, "price_stop");
    if (start == NULL || price == NULL || stop == NULL) return fputs("the library is another one\n", stderr), 1;

    long cents = 0;
    if (start() != 0 || price("apple", 3, &cents) != 0) return 1;
    printf("round %d: 3 apples cost %ld", round, cents);
    printf(", a unicorn has %s price", price("unicorn", 1, &cents) == 0 ? "a" : "no");
    stop();
    printf(", and after the end there is %s\n", price("apple", 3, &cents) == 0 ? "one" : "none");
    if (dlclose(library) != 0) return 1;
    while (threads() > 1) sched_yield(); /* one that has ended is in the kernel's list for a moment */
  }
  puts("one thread, as at the beginning");
  return 0;
}
