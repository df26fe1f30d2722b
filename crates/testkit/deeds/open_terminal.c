// Opens a pseudo-terminal and runs a program on it as the leader of a new session, like any
// program that hands out a shell.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) || unlockpt(master)) return 3;
  const char *name = ptsname(master);
  pid_t child = fork();
  if (child == 0) {
    setsid();
    int slave = open(name, O_RDWR);
    if (slave < 0 || ioctl(slave, TIOCSCTTY, 0)) _exit(4);
    for (int fd = 0; fd < 3; fd++) dup2(slave, fd);
    close(slave);
    close(master);
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  char buffer[4096];
  ssize_t count;
  // Ends with EIO once nobody has the other side open any more.
  while ((count = read(master, buffer, sizeof buffer)) > 0)
    if (write(1, buffer, (size_t)count) < 0) break;
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
