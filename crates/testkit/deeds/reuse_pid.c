// Runs `ls <argument 1>`, and `ls <argument 2>` in a later process with the same pid: the number
// of the next process is set through /proc/sys/kernel/ns_last_pid. Prints the pid. Other processes
// may be quicker, so it tries again.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  pid_t first = fork();
  if (first == 0) {
    execlp("ls", "ls", argv[1], (char *)0);
    _exit(127);
  }
  waitpid(first, 0, 0);
  for (int attempt = 0; attempt < 2000; attempt++) {
    FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "w");
    if (!last) return 3;
    fprintf(last, "%d", first - 1);
    if (fclose(last)) return 3;
    pid_t second = fork();
    if (second == 0) {
      if (getpid() == first) execlp("ls", "ls", argv[2], (char *)0);
      _exit(127);
    }
    waitpid(second, 0, 0);
    if (second == first) {
      printf("%d\n", first);
      return 0;
    }
  }
  return 4;
}
