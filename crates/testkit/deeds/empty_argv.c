// Runs a program (argument 1) with no arguments at all, not even a name.
#define _GNU_SOURCE
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
  char *nothing[] = {0};
  if (argc < 2) return 2;
  execve(argv[1], nothing, environ);
  return 127;
}
