/* SPDX-License-Identifier: Apache-2.0 */
/* The instructions of VMX and SVM are their models' business (SDM 3C:31.3; APM 3, chapter 4). */
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"

#define VENDOR_HANDLER(name, which)                                                                \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		u64 rip;                                                                           \
                                                                                                   \
		FAULT_POINT(cpu, op);                                                              \
		rip = cpu->vendor->instruction(cpu, op, which);                                    \
		CPU_BRANCH(rip);                                                                   \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name)

/* VMX */
VENDOR_HANDLER(vmxon, VENDOR_VMXON);
VENDOR_HANDLER(vmxoff, VENDOR_VMXOFF);
VENDOR_HANDLER(vmclear, VENDOR_VMCLEAR);
VENDOR_HANDLER(vmptrld, VENDOR_VMPTRLD);
VENDOR_HANDLER(vmptrst, VENDOR_VMPTRST);
VENDOR_HANDLER(vmread, VENDOR_VMREAD);
VENDOR_HANDLER(vmwrite, VENDOR_VMWRITE);
VENDOR_HANDLER(vmlaunch, VENDOR_VMLAUNCH);
VENDOR_HANDLER(vmresume, VENDOR_VMRESUME);
VENDOR_HANDLER(vmfunc, VENDOR_VMFUNC);
VENDOR_HANDLER(invept, VENDOR_INVEPT);
VENDOR_HANDLER(invvpid, VENDOR_INVVPID);

/* SVM */
VENDOR_HANDLER(vmrun, VENDOR_VMRUN);
VENDOR_HANDLER(vmload, VENDOR_VMLOAD);
VENDOR_HANDLER(vmsave, VENDOR_VMSAVE);
VENDOR_HANDLER(stgi, VENDOR_STGI);
VENDOR_HANDLER(clgi, VENDOR_CLGI);
VENDOR_HANDLER(skinit, VENDOR_SKINIT);
VENDOR_HANDLER(invlpga, VENDOR_INVLPGA);
