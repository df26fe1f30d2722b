/* A program that looks like zsh to the sensor, and whose functions begin with endbr64. */
#include <string.h>

struct node {
	struct node *next, *prev;
	const char *word;
};

struct list {
	struct node *first;
};

struct builtin {
	void *next;
	const char *name;
};

__attribute__((noinline)) int execbuiltin(struct list *words, void *assignments,
					  struct builtin *builtin)
{
	(void)assignments;
	return (int)(strlen(words->first->next->word) + strlen(builtin->name));
}

__attribute__((noinline)) char *zleentry(int what)
{
	return (char *)0 + what;
}

int main(void)
{
	/* In memory that is there: a probe reads no page that has not been touched yet. */
	struct node second = { NULL, NULL, strdup("/usr") }, first = { &second, NULL, strdup("cd") };
	struct list words = { &first };
	struct builtin builtin = { NULL, first.word };
	int (*volatile run)(struct list *, void *, struct builtin *) = execbuiltin;

	return run(&words, NULL, &builtin) == 6 ? 0 : 1;
}
