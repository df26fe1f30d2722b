// A thread that is not the leader runs a program: the kernel gives it the leader's pid.
#include <pthread.h>
#include <unistd.h>

static void *run(void *arguments) {
  execvp(((char **)arguments)[0], arguments);
  _exit(127);
}

int main(int argc, char **argv) {
  pthread_t thread;
  if (argc < 2 || pthread_create(&thread, 0, run, argv + 1)) return 2;
  for (;;) pause();
}
