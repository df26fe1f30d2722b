// Runs a program in a grandchild whose parent has ended, and waits until it has another one.
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  pid_t child = fork();
  if (child == 0) {
    pid_t middle = getpid();
    if (fork() == 0) {
      while (getppid() == middle) usleep(100);
      execvp(argv[1], argv + 1);
    }
    _exit(0);
  }
  waitpid(child, 0, 0);
  return 0;
}
