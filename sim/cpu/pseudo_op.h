/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that stand for no instruction of their own: a trace's end, and decoding that failed. */
#ifndef LOCKSTEP_SIM_CPU_PSEUDO_OP_H
#define LOCKSTEP_SIM_CPU_PSEUDO_OP_H

#include "sim/cpu/op.h"

HANDLER(pseudo_op_leave);         /* end of a trace: back to the run loop */
HANDLER(pseudo_op_fall_through);  /* 64-bit code, same page: on to the trace that follows */
HANDLER(pseudo_op_next_page);     /* 64-bit code, the trace that follows is on another page */
HANDLER(pseudo_op_jump_inside);   /* a jump whose target follows in the trace */
HANDLER(pseudo_op_stale);         /* the bytes from here on have changed */
HANDLER(pseudo_op_replaced);      /* first op of a dropped trace: on to what took its place */
HANDLER(pseudo_op_undefined);     /* #UD */
HANDLER(pseudo_op_privileged);    /* #GP(0): CPL, or more than 15 bytes */
HANDLER(pseudo_op_not_available); /* #NM */
HANDLER(pseudo_op_no_endbranch);  /* #CP(ENDBRANCH) */
HANDLER(pseudo_op_watched);       /* a debugger stops before the instruction */

#endif
