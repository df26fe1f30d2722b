// The leading thread ends while another lives on, starts a child (argument 2) and then runs a
// program itself (argument 3), each as `argument 1 <argument>`.
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_t leader;

static void *outlive(void *arguments) {
  char **argv = arguments;
  pthread_join(leader, 0);
  pid_t child = fork();
  if (child == 0) {
    execlp(argv[1], argv[1], argv[2], (char *)0);
    _exit(127);
  }
  waitpid(child, 0, 0);
  execlp(argv[1], argv[1], argv[3], (char *)0);
  _exit(127);
}

int main(int argc, char **argv) {
  pthread_t thread;
  leader = pthread_self();
  if (argc < 4 || pthread_create(&thread, 0, outlive, argv)) return 2;
  pthread_exit(0);
}
