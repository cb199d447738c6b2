/* Makes waits of threads follow libfaketime.

   glibc 2.30 brought sem_clockwait, and CPython from 3.11 waits by it wherever a lock, event, condition or queue has a timeout. libfaketime
   0.9.10 fakes the clock that the deadline is read from, and not the wait: one second lasts as long as the faked clock is ahead.
   (Its own sem_timedwait does not follow a rate either.) This waits by the kernel's clock, a millisecond at a time, until the faked clock
   has passed the deadline; a post still wakes at once. Preload it together with libfaketime:

       cc -shared -fPIC -O2 -o faketime_waits.so faketime_waits.c
       LD_PRELOAD=$PWD/faketime_waits.so faketime -m -f '+0 x60' python3 client.py  */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int passed(const struct timespec *until, clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now); /* libfaketime's */
    return now.tv_sec > until->tv_sec || (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec);
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
    static int (*wait)(sem_t *, clockid_t, const struct timespec *);
    if (wait == NULL)
        wait = (int (*)(sem_t *, clockid_t, const struct timespec *))dlsym(RTLD_NEXT, "sem_clockwait");
    for (;;) {
        struct timespec slice;
        if (passed(until, clock)) {
            if (sem_trywait(semaphore) == 0)
                return 0;
            errno = ETIMEDOUT;
            return -1;
        }
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &slice); /* the kernel's own */
        slice.tv_nsec += 1000000;
        if (slice.tv_nsec >= 1000000000) {
            slice.tv_sec += 1;
            slice.tv_nsec -= 1000000000;
        }
        if (wait(semaphore, CLOCK_MONOTONIC, &slice) == 0)
            return 0;
        if (errno != ETIMEDOUT)
            return -1;
    }
}
