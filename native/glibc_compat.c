/* Lets an addon built on glibc >= 2.34, which moved pthreads into libc.so.6 under new symbol versions,
   load on older ones: each call goes to the version that x86-64 has had from the start. Linked with
   --wrap=<name> for every name below. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>

#define OLD_VERSION(name, version, parameters, arguments)        \
  __asm__(".symver old_" #name "," #name "@" version);           \
  extern int old_##name parameters;                              \
  int __wrap_##name parameters;                                  \
  int __wrap_##name parameters { return old_##name arguments; }

OLD_VERSION(pthread_create, "GLIBC_2.2.5",
            (pthread_t * thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument),
            (thread, attributes, run, argument))
OLD_VERSION(pthread_join, "GLIBC_2.2.5", (pthread_t thread, void** result), (thread, result))
OLD_VERSION(pthread_once, "GLIBC_2.2.5", (pthread_once_t * once, void (*run)(void)), (once, run))
OLD_VERSION(pthread_detach, "GLIBC_2.2.5", (pthread_t thread), (thread))
OLD_VERSION(__pthread_key_create, "GLIBC_2.2.5", (pthread_key_t * key, void (*destroy)(void*)),
            (key, destroy))
OLD_VERSION(pthread_getaffinity_np, "GLIBC_2.3.4",
            (pthread_t thread, size_t size, cpu_set_t* processors), (thread, size, processors))
OLD_VERSION(pthread_setaffinity_np, "GLIBC_2.3.4",
            (pthread_t thread, size_t size, const cpu_set_t* processors), (thread, size, processors))

/* libstdc++ reads this glibc 2.32 symbol to skip atomics in single-threaded programs. */
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
