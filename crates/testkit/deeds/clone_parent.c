// Creates a sibling instead of a child (CLONE_PARENT) that runs a program; ends once that has
// happened.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char stack[65536] __attribute__((aligned(16)));

static int run(void *arguments) {
  execvp(((char **)arguments)[0], arguments);
  return 127;
}

int main(int argc, char **argv) {
  int ends[2];
  // The pipe closes when the sibling has run its program.
  if (argc < 2 || pipe2(ends, O_CLOEXEC)) return 2;
  if (clone(run, stack + sizeof stack, CLONE_PARENT | SIGCHLD, argv + 1) < 0) return 3;
  close(ends[1]);
  char byte;
  while (read(ends[0], &byte, 1) > 0) {
  }
  return 0;
}
