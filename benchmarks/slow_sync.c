/* A disk whose every sync takes 2 ms longer: preloaded into a system under test. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static int slow(const char *name, int fd) {
    int (*sync_file)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    struct timespec pause = {0, 2000000};
    nanosleep(&pause, NULL);
    return sync_file(fd);
}

int fsync(int fd) { return slow("fsync", fd); }
int fdatasync(int fd) { return slow("fdatasync", fd); }
