/* Lets an addon built on a new glibc load on an old one: each call goes to the symbol version that
   x86-64 has had from the start. Newer versions came with the merge of libpthread and libdl (2.34),
   with stat functions of their own (2.33), and with mathematical functions that do not set errno's
   old way (2.29, 2.35); the arithmetic behind both versions is the same. Linked with --wrap=<name>
   for every name below. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>

#define OLD_VERSION(result, name, version, parameters, arguments) \
  __asm__(".symver old_" #name "," #name "@" version);            \
  extern result old_##name parameters;                            \
  result __wrap_##name parameters;                                \
  result __wrap_##name parameters { return old_##name arguments; }

OLD_VERSION(int, pthread_create, "GLIBC_2.2.5",
            (pthread_t * thread, const pthread_attr_t* attributes, void* (*run)(void*),
             void* argument),
            (thread, attributes, run, argument))
OLD_VERSION(int, pthread_join, "GLIBC_2.2.5", (pthread_t thread, void** result), (thread, result))
OLD_VERSION(int, pthread_once, "GLIBC_2.2.5", (pthread_once_t * once, void (*run)(void)),
            (once, run))
OLD_VERSION(int, pthread_detach, "GLIBC_2.2.5", (pthread_t thread), (thread))
OLD_VERSION(int, __pthread_key_create, "GLIBC_2.2.5", (pthread_key_t * key, void (*destroy)(void*)),
            (key, destroy))
OLD_VERSION(int, pthread_getaffinity_np, "GLIBC_2.3.4",
            (pthread_t thread, size_t size, cpu_set_t* processors), (thread, size, processors))
OLD_VERSION(int, pthread_setaffinity_np, "GLIBC_2.3.4",
            (pthread_t thread, size_t size, const cpu_set_t* processors),
            (thread, size, processors))

OLD_VERSION(void*, dlopen, "GLIBC_2.2.5", (const char* file, int mode), (file, mode))
OLD_VERSION(void*, dlsym, "GLIBC_2.2.5", (void* library, const char* name), (library, name))
OLD_VERSION(char*, dlerror, "GLIBC_2.2.5", (void), ())
OLD_VERSION(int, dladdr, "GLIBC_2.2.5", (const void* address, Dl_info* info), (address, info))

OLD_VERSION(double, exp, "GLIBC_2.2.5", (double x), (x))
OLD_VERSION(double, exp2, "GLIBC_2.2.5", (double x), (x))
OLD_VERSION(double, log, "GLIBC_2.2.5", (double x), (x))
OLD_VERSION(double, log2, "GLIBC_2.2.5", (double x), (x))
OLD_VERSION(double, pow, "GLIBC_2.2.5", (double x, double y), (x, y))
OLD_VERSION(double, hypot, "GLIBC_2.2.5", (double x, double y), (x, y))

/* Before 2.33 fstat was an inline function over this one; 1 is the layout of struct stat on x86-64.
 */
__asm__(".symver old_fxstat64,__fxstat64@GLIBC_2.2.5");
extern int old_fxstat64(int layout, int file, struct stat64* status);
int __wrap_fstat64(int file, struct stat64* status);
int __wrap_fstat64(int file, struct stat64* status) { return old_fxstat64(1, file, status); }
int __wrap_fstat(int file, struct stat64* status);
int __wrap_fstat(int file, struct stat64* status) { return old_fxstat64(1, file, status); }

/* libstdc++ reads this glibc 2.32 symbol to skip atomics in single-threaded programs. */
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
