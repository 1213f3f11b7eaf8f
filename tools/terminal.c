/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/terminal.h"

#include <errno.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

/* Per process, as the terminal is; a signal handler must reach it. */
static struct {
	struct termios original;
	volatile sig_atomic_t raw;
} terminal;

bool terminal_present(void)
{
	return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

int terminal_raw(bool signal_keys)
{
	struct termios mode;

	if (!terminal.raw && tcgetattr(STDIN_FILENO, &terminal.original))
		return -errno;
	mode = terminal.original;
	mode.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	/* Output processing stays: our own messages end in a plain newline. */
	mode.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN);
	if (!signal_keys)
		mode.c_lflag &= ~ISIG;
	mode.c_cflag = (mode.c_cflag & ~(CSIZE | PARENB)) | CS8;
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	terminal.raw = 1;
	return tcsetattr(STDIN_FILENO, TCSANOW, &mode) ? -errno : 0;
}

void terminal_restore(void)
{
	if (!terminal.raw)
		return;
	terminal.raw = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal.original);
}
