/*
 * A disk that loses its power, fails or fills up, for one process: LD_PRELOAD this library.
 *
 * FAULTY_DISK_MIRROR  a folder: after every successful flush of a database file it holds that file
 *                     as it was flushed. What a restart after a power loss would find.
 * FAULTY_DISK_FAIL    a file: while it exists, flushes of database files fail with EIO.
 * FAULTY_DISK_FULL    a file: while it exists, writes that make a database file longer fail with
 *                     ENOSPC.
 *
 * Database files are those whose name has ".db" in it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t mirroring = PTHREAD_MUTEX_INITIALIZER;

static int database_path(int fd, char *path, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length <= 0) {
        return 0;
    }
    path[length] = 0;
    const char *name = strrchr(path, '/');
    return name && strstr(name, ".db");
}

static int set(const char *variable)
{
    const char *flag = getenv(variable);
    return flag && access(flag, F_OK) == 0;
}

static void mirror(const char *path)
{
    const char *folder = getenv("FAULTY_DISK_MIRROR");
    if (!folder) {
        return;
    }
    char to[4096], part[4200];
    snprintf(to, sizeof to, "%s/%s", folder, strrchr(path, '/') + 1);
    snprintf(part, sizeof part, "%s.part", to);
    int in = open(path, O_RDONLY | O_CLOEXEC);
    int out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    static char buffer[1 << 20];
    ssize_t got;
    while ((got = read(in, buffer, sizeof buffer)) > 0) {
        // Not by our own write: the disk that is full is not that of the mirror.
        if (syscall(SYS_write, out, buffer, got) != got) {
            abort();
        }
    }
    close(in);
    close(out);
    rename(part, to);
}

static int flush(int fd, int (*real)(int))
{
    char path[4096];
    if (!database_path(fd, path, sizeof path)) {
        return real(fd);
    }
    if (set("FAULTY_DISK_FAIL")) {
        errno = EIO;
        return -1;
    }
    pthread_mutex_lock(&mirroring);
    int result = real(fd);
    if (result == 0) {
        mirror(path);
    }
    pthread_mutex_unlock(&mirroring);
    return result;
}

/* File systems keep directory changes in order, so every later flush makes this one last. */
int unlink(const char *path)
{
    static int (*real)(const char *);
    const char *folder = getenv("FAULTY_DISK_MIRROR");
    const char *name = strrchr(path, '/');
    if (!real) {
        real = dlsym(RTLD_NEXT, "unlink");
    }
    if (folder && name && strstr(name, ".db")) {
        char mirrored[4096];
        snprintf(mirrored, sizeof mirrored, "%s%s", folder, name);
        real(mirrored);
    }
    return real(path);
}

int fsync(int fd)
{
    static int (*real)(int);
    if (!real) {
        real = dlsym(RTLD_NEXT, "fsync");
    }
    return flush(fd, real);
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (!real) {
        real = dlsym(RTLD_NEXT, "fdatasync");
    }
    return flush(fd, real);
}

static int no_room(int fd, off_t end)
{
    char path[4096];
    struct stat file;
    if (!set("FAULTY_DISK_FULL") || !database_path(fd, path, sizeof path)) {
        return 0;
    }
    return fstat(fd, &file) == 0 && end > file.st_size;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) {
        real = dlsym(RTLD_NEXT, "pwrite64");
    }
    if (no_room(fd, at + count)) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    return pwrite64(fd, bytes, count, at);
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) {
        real = dlsym(RTLD_NEXT, "write");
    }
    if (no_room(fd, lseek(fd, 0, SEEK_CUR) + count)) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, bytes, count);
}
