/* SPDX-License-Identifier: Apache-2.0 */
/* workload NAME [COUNT]: work in the guest's user space that busybox has no command for. Each
 * prints a checksum, so that a wrong result shows and no compiler drops the work. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)random_state * limit >> 32);
}

/* --- compile: writes small programs as text, compiles them for a stack machine, runs them --- */

enum { SOURCE = 1 << 16, CODE = SOURCE };

struct compiler {
	char source[SOURCE];
	size_t length, at;
	struct instruction {
		enum operation {
			PUSH,
			LOAD,
			ADD,
			SUB,
			MUL,
			AND,
			XOR,
			LESS,
			IF_ZERO,
			JUMP,
			STOP
		} operation;
		int32_t value;
	} code[CODE];
	size_t count;
};

static void write_text(struct compiler *c, const char *text)
{
	size_t length = strlen(text);

	memcpy(c->source + c->length, text, length);
	c->length += length;
}

static void write_expression(struct compiler *c, int depth)
{
	static const char *const operators[] = {" + ", " - ", " * ", " & ", " ^ ", " < "};
	char number[16];

	switch (depth && c->length < SOURCE / 2 ? random_below(8) : random_below(2)) {
	case 0:
		snprintf(number, sizeof(number), "%u", random_below(1000));
		write_text(c, number);
		break;
	case 1:
		write_text(c, (const char[]){(char)('a' + random_below(8)), 0});
		break;
	case 2:
		write_text(c, "(");
		write_expression(c, depth - 1);
		write_text(c, " ? ");
		write_expression(c, depth - 1);
		write_text(c, " : ");
		write_expression(c, depth - 1);
		write_text(c, ")");
		break;
	default:
		write_text(c, "(");
		write_expression(c, depth - 1);
		write_text(c, operators[random_below(6)]);
		write_expression(c, depth - 1);
		write_text(c, ")");
	}
}

static char next_token(struct compiler *c)
{
	while (c->source[c->at] == ' ')
		c->at++;
	return c->source[c->at];
}

static size_t emit(struct compiler *c, enum operation operation, int32_t value)
{
	c->code[c->count] = (struct instruction){operation, value};
	return c->count++;
}

static enum operation operator_of(char token)
{
	switch (token) {
	case '+':
		return ADD;
	case '-':
		return SUB;
	case '*':
		return MUL;
	case '&':
		return AND;
	case '^':
		return XOR;
	default:
		return LESS;
	}
}

static void compile_expression(struct compiler *c)
{
	char token = next_token(c);
	size_t branch, jump;

	if (token >= '0' && token <= '9') {
		int32_t value = 0;

		while (c->source[c->at] >= '0' && c->source[c->at] <= '9')
			value = value * 10 + (c->source[c->at++] - '0');
		emit(c, PUSH, value);
		return;
	}
	c->at++;
	if (token != '(') {
		emit(c, LOAD, token - 'a');
		return;
	}
	compile_expression(c);
	token = next_token(c);
	c->at++;
	if (token != '?') {
		compile_expression(c);
		emit(c, operator_of(token), 0);
	} else {
		branch = emit(c, IF_ZERO, 0);
		compile_expression(c);
		jump = emit(c, JUMP, 0);
		next_token(c);
		c->at++; /* : */
		c->code[branch].value = (int32_t)c->count;
		compile_expression(c);
		c->code[jump].value = (int32_t)c->count;
	}
	next_token(c);
	c->at++; /* ) */
}

static int32_t run_code(const struct compiler *c, const int32_t *variables)
{
	uint32_t stack[64], *top = stack;

	for (const struct instruction *i = c->code;; i++) {
		switch (i->operation) {
		case PUSH:
			*top++ = (uint32_t)i->value;
			break;
		case LOAD:
			*top++ = (uint32_t)variables[i->value];
			break;
		case ADD:
			top--;
			top[-1] += *top;
			break;
		case SUB:
			top--;
			top[-1] -= *top;
			break;
		case MUL:
			top--;
			top[-1] *= *top;
			break;
		case AND:
			top--;
			top[-1] &= *top;
			break;
		case XOR:
			top--;
			top[-1] ^= *top;
			break;
		case LESS:
			top--;
			top[-1] = (int32_t)top[-1] < (int32_t)*top;
			break;
		case IF_ZERO:
			if (!*--top)
				i = c->code + i->value - 1;
			break;
		case JUMP:
			i = c->code + i->value - 1;
			break;
		case STOP:
			return (int32_t)stack[0];
		}
	}
}

static uint32_t compile(unsigned int programs)
{
	static struct compiler c;
	int32_t variables[8];
	uint32_t sum = 0;

	while (programs--) {
		c.length = c.at = c.count = 0;
		write_expression(&c, 12);
		c.source[c.length] = 0;
		compile_expression(&c);
		emit(&c, STOP, 0);
		for (int run = 0; run < 20; run++) {
			for (int v = 0; v < 8; v++)
				variables[v] = (int32_t)random_below(100);
			sum = sum * 31 + (uint32_t)run_code(&c, variables);
		}
	}
	return sum;
}

/* --- chase: pointers through 64 MiB in an order without locality --- */

static uint32_t chase(unsigned int steps)
{
	enum { NODES = 1 << 20 };
	struct node {
		struct node *next;
		char rest[56]; /* a cache line */
	} *nodes = malloc(NODES * sizeof(*nodes)), *at = nodes;

	if (!nodes)
		exit(1);
	for (uint32_t i = 0; i < NODES; i++)
		nodes[i].next = &nodes[i];
	/* Sattolo's shuffle: one cycle through all. */
	for (uint32_t i = NODES - 1; i; i--) {
		uint32_t other = random_below(i);
		struct node *swap = nodes[i].next;

		nodes[i].next = nodes[other].next;
		nodes[other].next = swap;
	}
	while (steps--)
		at = at->next;
	return (uint32_t)(at - nodes);
}

/* --- processes --- */

static uint32_t pipes(unsigned int turns)
{
	int there[2], back[2];
	uint32_t value = 0;

	if (pipe(there) || pipe(back))
		exit(1);
	if (!fork()) {
		close(there[1]);
		while (read(there[0], &value, sizeof(value)) == sizeof(value)) {
			value++;
			if (write(back[1], &value, sizeof(value)) != sizeof(value))
				_exit(1);
		}
		_exit(0);
	}
	while (turns--) {
		if (write(there[1], &value, sizeof(value)) != sizeof(value) ||
		    read(back[0], &value, sizeof(value)) != sizeof(value))
			exit(1);
	}
	close(there[1]);
	wait(NULL);
	return value;
}

static uint32_t execs(unsigned int turns)
{
	uint32_t good = 0;
	int status;

	while (turns--) {
		if (!fork()) {
			execl("/bin/workload", "workload", "nothing", (char *)NULL);
			_exit(1);
		}
		wait(&status);
		good += status == 0;
	}
	return good;
}

static uint32_t nothing(unsigned int count)
{
	return count;
}

static const struct {
	const char *name;
	uint32_t (*run)(unsigned int count);
	unsigned int count;
} works[] = {
	{"compile", compile, 2500}, {"chase", chase, 4000000}, {"pipes", pipes, 100000},
	{"execs", execs, 1000},     {"nothing", nothing, 0},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(works) / sizeof(*works); i++) {
		if (strcmp(argv[1], works[i].name))
			continue;
		uint32_t sum =
			works[i].run(argc > 2 ? (unsigned int)atoi(argv[2]) : works[i].count);

		if (works[i].count)
			printf("%08x\n", sum);
		return 0;
	}
	fputs("usage: workload compile|chase|pipes|execs [COUNT]\n", stderr);
	return 2;
}
