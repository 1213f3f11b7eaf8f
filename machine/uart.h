/* SPDX-License-Identifier: Apache-2.0 */
/* COM1: a 16550A at 0x3f8, IRQ 4 (National Semiconductor PC16550D data sheet). */
#ifndef LOCKSTEP_MACHINE_UART_H
#define LOCKSTEP_MACHINE_UART_H

#include <lockstep/error.h>

#define UART_BASE 0x3f8

struct machine;

int uart_create(struct machine *machine, struct ls_error *err);

#endif
