/* SPDX-License-Identifier: Apache-2.0 */
/* The instructions of VMX are the model's business (SDM 3C:31.3). */
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"

#define VMX_HANDLER(name, which)                                                                   \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		u64 rip;                                                                           \
                                                                                                   \
		FAULT_POINT(cpu, op);                                                              \
		rip = cpu->vendor->instruction(cpu, op, which);                                    \
		CPU_BRANCH(rip);                                                                   \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name)

VMX_HANDLER(vmxon, VENDOR_VMXON);
VMX_HANDLER(vmxoff, VENDOR_VMXOFF);
VMX_HANDLER(vmclear, VENDOR_VMCLEAR);
VMX_HANDLER(vmptrld, VENDOR_VMPTRLD);
VMX_HANDLER(vmptrst, VENDOR_VMPTRST);
VMX_HANDLER(vmread, VENDOR_VMREAD);
VMX_HANDLER(vmwrite, VENDOR_VMWRITE);
VMX_HANDLER(vmlaunch, VENDOR_VMLAUNCH);
VMX_HANDLER(vmresume, VENDOR_VMRESUME);
VMX_HANDLER(vmfunc, VENDOR_VMFUNC);
VMX_HANDLER(invept, VENDOR_INVEPT);
VMX_HANDLER(invvpid, VENDOR_INVVPID);
