/* SPDX-License-Identifier: Apache-2.0 */
/* The instructions of SVM: all of them are the model's. */
#include "sim/cpu/fault.h"
#include "sim/cpu/vendor.h"

#define SVM_HANDLER(name, which)                                                                   \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		u64 rip;                                                                           \
                                                                                                   \
		FAULT_POINT(cpu, op);                                                              \
		rip = cpu->vendor->instruction(cpu, op, which);                                    \
		CPU_BRANCH(rip);                                                                   \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name)

SVM_HANDLER(vmrun, VENDOR_VMRUN);
SVM_HANDLER(vmload, VENDOR_VMLOAD);
SVM_HANDLER(vmsave, VENDOR_VMSAVE);
SVM_HANDLER(stgi, VENDOR_STGI);
SVM_HANDLER(clgi, VENDOR_CLGI);
SVM_HANDLER(invlpga, VENDOR_INVLPGA);
