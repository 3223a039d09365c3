/* The same as glibc_compat.c for gemmine_cuda.so, whose CUDA runtime calls many more functions of
   libpthread, libdl and librt: each jumps to the version that x86-64 has had from the start. Linked
   with --wrap=<name> for every name below. */
__asm__(
    ".macro old name, version\n"
    "  .symver old_\\name, \\name@\\version\n"
    "  .globl __wrap_\\name\n"
    "  .hidden __wrap_\\name\n"
    "  .type __wrap_\\name, @function\n"
    "__wrap_\\name: jmp old_\\name@PLT\n"
    ".endm\n"
    ".text\n"
    ".irp name, dlopen, dlsym, dlvsym, dlerror, dlclose, pthread_create, pthread_join, "
    "pthread_detach, pthread_once, pthread_kill, pthread_key_create, __pthread_key_create, "
    "pthread_key_delete, "
    "pthread_getspecific, pthread_setspecific, pthread_mutex_trylock, pthread_mutexattr_init, "
    "pthread_mutexattr_destroy, pthread_mutexattr_settype, pthread_mutexattr_setpshared, "
    "pthread_condattr_setpshared, pthread_rwlock_init, pthread_rwlock_destroy, "
    "pthread_rwlock_rdlock, pthread_rwlock_tryrdlock, pthread_rwlock_timedrdlock, "
    "pthread_rwlock_wrlock, pthread_rwlock_trywrlock, pthread_rwlock_timedwrlock, "
    "pthread_rwlock_unlock, pthread_rwlockattr_init, pthread_rwlockattr_destroy, "
    "pthread_rwlockattr_setpshared, pthread_spin_init, pthread_spin_destroy, pthread_spin_lock, "
    "pthread_spin_trylock, pthread_spin_unlock, sem_init, sem_destroy, sem_post, sem_wait, "
    "sem_trywait, sem_timedwait, shm_open, shm_unlink\n"
    "  old \\name, GLIBC_2.2.5\n"
    ".endr\n"
    "old dlmopen, GLIBC_2.3.4\n"
    /* Before 2.33 stat was an inline function over this one; 1 is the layout of struct stat. */
    ".symver old_xstat, __xstat@GLIBC_2.2.5\n"
    ".globl __wrap_stat\n"
    ".hidden __wrap_stat\n"
    ".type __wrap_stat, @function\n"
    "__wrap_stat:\n"
    "  movq %rsi, %rdx\n"
    "  movq %rdi, %rsi\n"
    "  movl $1, %edi\n"
    "  jmp old_xstat@PLT\n");

/* libstdc++ reads this glibc 2.32 symbol to skip atomics in single-threaded programs. */
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
