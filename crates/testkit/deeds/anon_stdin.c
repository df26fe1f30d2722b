// Runs a program whose standard input is a file without a place in any file system (eventfd).
#define _GNU_SOURCE
#include <sys/eventfd.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  int event = eventfd(0, 0);
  if (event < 0 || dup2(event, 0) < 0) return 3;
  execvp(argv[1], argv + 1);
  return 127;
}
