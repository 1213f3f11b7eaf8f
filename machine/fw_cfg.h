/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's firmware configuration device (QEMU docs/specs/fw_cfg): numbered items and named
 * files that firmware reads at ports 0x510/0x511 or by DMA at 0x514.
 */
#ifndef LOCKSTEP_MACHINE_FW_CFG_H
#define LOCKSTEP_MACHINE_FW_CFG_H

#include <stddef.h>
#include <stdint.h>

#include <lockstep/error.h>

#define FW_CFG_SIGNATURE    0x00
#define FW_CFG_ID           0x01
#define FW_CFG_RAM_SIZE     0x03
#define FW_CFG_NOGRAPHIC    0x04
#define FW_CFG_NB_CPUS      0x05
#define FW_CFG_CMDLINE_SIZE 0x14
#define FW_CFG_CMDLINE_DATA 0x15
#define FW_CFG_MAX_CPUS     0x0f
#define FW_CFG_FILE_DIR     0x19
#define FW_CFG_FILE_FIRST   0x20
#define FW_CFG_IRQ0         0x8002 /* IRQ 0 is wired to GSI 2 */
#define FW_CFG_E820         0x8003

#define FW_CFG_NAME_SIZE 56 /* with the terminating 0 */

struct machine;
struct fw_cfg;

int fw_cfg_create(struct machine *machine, struct ls_error *err);
/* Copies @data. A second item with the same key or name replaces the first. */
int fw_cfg_add(struct fw_cfg *fw_cfg, uint16_t key, const void *data, size_t size,
	       struct ls_error *err);
int fw_cfg_add_file(struct fw_cfg *fw_cfg, const char *name, const void *data, size_t size,
		    struct ls_error *err);

#endif
