/* SPDX-License-Identifier: Apache-2.0 */
/* `lockstep snapshot info`. */
#ifndef LOCKSTEP_TOOLS_SNAPSHOT_INFO_H
#define LOCKSTEP_TOOLS_SNAPSHOT_INFO_H

/* lockstep snapshot info: argv[1] is the file. Returns the exit status. */
int snapshot_info(int argc, char **argv);

#endif
