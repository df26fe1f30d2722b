// Removes a program's file (argument 1) and runs it all the same, with the further arguments.
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int file = open(argv[1], O_RDONLY | O_CLOEXEC);
  if (file < 0 || unlink(argv[1])) return 3;
  fexecve(file, argv + 2, environ);
  return 127;
}
