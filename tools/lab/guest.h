/* SPDX-License-Identifier: Apache-2.0 */
/* The lab's side that runs in its guest, as the kernel's first process. */
#ifndef LOCKSTEP_TOOLS_LAB_GUEST_H
#define LOCKSTEP_TOOLS_LAB_GUEST_H

/* Runs the command of LAB_COMMAND and talks to the host through the port of that name (wire.h).
 * Does not return: the host ends the guest. */
_Noreturn void lab_guest_main(const char *port_name);

#endif
