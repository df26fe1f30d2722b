// Types a line (argument 2) on a terminal (argument 1) as if it came from its keyboard.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int terminal = open(argv[1], O_RDWR | O_NOCTTY);
  if (terminal < 0) return 3;
  for (const char *key = argv[2]; *key; key++)
    if (ioctl(terminal, TIOCSTI, key)) return 4;
  return ioctl(terminal, TIOCSTI, "\r") ? 4 : 0;
}
