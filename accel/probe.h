/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does an engine run what a kernel runs? Some KVMs are there without the processor's virtualization
 * behind them and stop at an instruction that they don't know.
 */
#ifndef LOCKSTEP_ACCEL_PROBE_H
#define LOCKSTEP_ACCEL_PROBE_H

#include <lockstep/engine.h>

/* Runs a payload of a few instructions for at most a second: 64-bit code at CPL 0, CMPXCHG16B,
 * XSAVE and XRSTOR, an MMIO access, HLT. 0, or -errno with *err saying at which of them it stopped.
 */
int accel_probe(struct ls_engine *engine, struct ls_error *err);

#endif
