// Runs `/bin/true MARK NUMBER FILLER` one after another, as fast as it goes, for so many seconds
// or until so many have run, and prints how many ran. The filler's length and letter follow from
// the number, so that each argument list can be checked; one in 256 needs several records.
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

int main(int argc, char **argv) {
  static char filler[20001], number[32];
  if (argc < 4) return 2;
  double seconds = atof(argv[1]);
  long most = atol(argv[2]), count = 0;
  struct timespec start, now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  do {
    size_t length = count % 256 == 255 ? 20000 : (size_t)(count * 37 % 300);
    memset(filler, 'a' + (int)(count % 26), length);
    filler[length] = 0;
    snprintf(number, sizeof number, "%ld", count);
    char *arguments[] = {"true", argv[3], number, filler, 0};
    pid_t child;
    int status;
    if (posix_spawn(&child, "/bin/true", 0, 0, arguments, environ)) return 3;
    if (waitpid(child, &status, 0) != child || status) return 4;
    count++;
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while (count < most && (double)(now.tv_sec - start.tv_sec) +
                                   (double)(now.tv_nsec - start.tv_nsec) / 1e9 <
                               seconds);
  printf("%ld\n", count);
  return 0;
}
