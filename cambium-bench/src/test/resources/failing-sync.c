/* Preloaded into a process, makes one sync fail as a dying disk does: the one that the number in the
   file CAMBIUM_FAILING_SYNC, lowered by each sync, is 0 for. The file says then what was synced. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int fails(int synced) {
  const char *path = getenv("CAMBIUM_FAILING_SYNC");
  int file = path == NULL ? -1 : open(path, O_RDWR);
  if (file < 0) {
    return 0;
  }
  char text[16] = {0};
  long left = read(file, text, sizeof text - 1) > 0 ? atol(text) : -1;
  if (left >= 0 && lseek(file, 0, SEEK_SET) == 0 && ftruncate(file, 0) == 0) {
    char link[64], name[4096] = {0};
    snprintf(link, sizeof link, "/proc/self/fd/%d", synced);
    if (left > 0 || readlink(link, name, sizeof name - 1) <= 0) {
      name[0] = 0;
    }
    dprintf(file, "%ld\n%s", left - 1, name);
  }
  close(file);
  return left == 0;
}

static int sync_or_fail(const char *name, int file) {
  if (fails(file)) {
    errno = EIO;
    return -1;
  }
  int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
  return real(file);
}

int fsync(int file) { return sync_or_fail("fsync", file); }

int fdatasync(int file) { return sync_or_fail("fdatasync", file); }
