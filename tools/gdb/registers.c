/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/gdb/registers.h"

#include <stddef.h>
#include <string.h>

#include "tools/gdb/packet.h"

#define MSR_KERNEL_GS_BASE 0xc0000102u
#define XSTATE_AVX         7u /* x87, SSE, AVX */
#define REGISTER_MAX       16 /* bytes */

struct row {
	const char *feature; /* begins with this row; else NULL */
	const char *name, *type, *group;
	size_t bits, offset, size;
	bool tag;
};

#define FEATURE(name) {.feature = name},
#define REGISTER(name_, bits_, type_, group_, member)                                              \
	{.name = name_,                                                                            \
	 .type = type_,                                                                            \
	 .group = group_,                                                                          \
	 .bits = bits_,                                                                            \
	 .offset = offsetof(struct gdb_registers, member),                                         \
	 .size = sizeof(((struct gdb_registers *)0)->member)},
#define REGISTER_TAG(name_)                                                                        \
	{.name = name_, .type = "int", .group = "float", .bits = 32, .tag = true},
static const struct row rows[] = {
#include "tools/gdb/registers.def"
};
#undef FEATURE
#undef REGISTER
#undef REGISTER_TAG

static const struct row *find_row(uint64_t number)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (rows[i].name && !number--)
			return &rows[i];
	}
	return NULL;
}

size_t gdb_register_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		count += rows[i].name != NULL;
	return count;
}

/* --- of the vCPU --- */

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

int gdb_registers_read(struct ls_engine *engine, int vcpu, struct gdb_registers *r)
{
	struct one_msr msr = {.head = {.nmsrs = 1}, .entry = {.index = MSR_KERNEL_GS_BASE}};
	int ret;

	memset(r, 0, sizeof(*r));
	ret = ls_ioctl_ptr(engine, vcpu, KVM_GET_REGS, &r->regs);
	if (ret >= 0)
		ret = ls_ioctl_ptr(engine, vcpu, KVM_GET_SREGS, &r->sregs);
	if (ret < 0)
		return ret;
	/* What an engine does not tell is shown as 0. */
	ls_ioctl_ptr(engine, vcpu, KVM_GET_XSAVE, &r->xsave);
	if (ls_ioctl_ptr(engine, vcpu, KVM_GET_MSRS, &msr) == 1)
		r->kernel_gs_base = msr.entry.data;
	return 0;
}

/* Only what has changed, so that a write to RAX touches nothing else. */
int gdb_registers_write(struct ls_engine *engine, int vcpu, struct gdb_registers *r)
{
	struct one_msr msr = {.head = {.nmsrs = 1}, .entry = {.index = MSR_KERNEL_GS_BASE}};
	struct gdb_registers was;
	int ret = gdb_registers_read(engine, vcpu, &was);

	if (!ret && memcmp(&was.sregs, &r->sregs, sizeof(was.sregs)))
		ret = ls_ioctl_ptr(engine, vcpu, KVM_SET_SREGS, &r->sregs);
	if (ret >= 0 && memcmp(&was.regs, &r->regs, sizeof(was.regs)))
		ret = ls_ioctl_ptr(engine, vcpu, KVM_SET_REGS, &r->regs);
	if (ret >= 0 && memcmp(&was.xsave, &r->xsave, sizeof(was.xsave))) {
		r->x.xstate_bv |= XSTATE_AVX;
		ret = ls_ioctl_ptr(engine, vcpu, KVM_SET_XSAVE, &r->xsave);
	}
	if (ret >= 0 && was.kernel_gs_base != r->kernel_gs_base) {
		msr.entry.data = r->kernel_gs_base;
		ret = ls_ioctl_ptr(engine, vcpu, KVM_SET_MSRS, &msr) == 1 ? 0 : -EINVAL;
	}
	return ret < 0 ? ret : 0;
}

/* --- the x87's tags --- */

/* SDM 1:8.1.7: valid, zero, special. */
static unsigned int tag_of(const uint8_t value[10])
{
	uint64_t significand;
	uint16_t exponent;

	memcpy(&significand, value, 8);
	memcpy(&exponent, value + 8, 2);
	exponent &= 0x7fff;
	if (!exponent && !significand)
		return 1;
	return exponent && exponent != 0x7fff && significand >> 63 ? 0 : 2;
}

/* FXSAVE keeps only which registers are empty (SDM 1:10.5.1.1); ST(0) is at TOP. */
static uint32_t full_tag(const struct gdb_xsave *x)
{
	unsigned int top = x->status >> 11 & 7;
	uint32_t full = 0;

	for (unsigned int n = 0; n < 8; n++) {
		unsigned int tag = x->tag >> n & 1 ? tag_of(x->st[(n - top) & 7].value) : 3;

		full |= tag << 2 * n;
	}
	return full;
}

static void set_full_tag(struct gdb_xsave *x, uint32_t full)
{
	x->tag = 0;
	for (unsigned int n = 0; n < 8; n++)
		x->tag |= (uint8_t)(((full >> 2 * n & 3) != 3) << n);
}

/* --- as the protocol has them --- */

bool gdb_register_put(GString *to, const struct gdb_registers *r, uint64_t number)
{
	const struct row *row = find_row(number);
	uint8_t bytes[REGISTER_MAX] = {0};
	uint32_t tag;

	if (!row)
		return false;
	tag = full_tag(&r->x);
	if (row->tag)
		memcpy(bytes, &tag, sizeof(tag));
	else
		memcpy(bytes, (const uint8_t *)r + row->offset, MIN(row->size, row->bits / 8));
	gdb_put_hex(to, bytes, row->bits / 8);
	return true;
}

bool gdb_register_take(const char **from, struct gdb_registers *r, uint64_t number)
{
	const struct row *row = find_row(number);
	uint8_t bytes[REGISTER_MAX] = {0};
	uint32_t tag;

	if (!row || !gdb_take_hex(from, bytes, row->bits / 8))
		return false;
	memcpy(&tag, bytes, sizeof(tag));
	if (row->tag)
		set_full_tag(&r->x, tag);
	else
		memcpy((uint8_t *)r + row->offset, bytes, MIN(row->size, row->bits / 8));
	return true;
}

/* --- target.xml --- */

/* gdb's own files define the parts of an XMM register; with those of 64-bit elements all shows. */
static const char vector_types[] =
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
	"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
	"<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
	"<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
	"<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
	"<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
	"<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
	"<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/>"
	"</union>";

char *gdb_target_description(void)
{
	GString *text = g_string_new("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM "
				     "\"gdb-target.dtd\"><target>"
				     "<architecture>i386:x86-64</architecture>");

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct row *row = &rows[i];

		if (row->feature)
			g_string_append_printf(text, "%s<feature name=\"%s\">%s",
					       i ? "</feature>" : "", row->feature,
					       g_str_has_suffix(row->feature, ".sse") ? vector_types
										      : "");
		else
			g_string_append_printf(
				text, "<reg name=\"%s\" bitsize=\"%zu\" type=\"%s\" group=\"%s\"/>",
				row->name, row->bits, row->type, row->group);
	}
	g_string_append(text, "</feature></target>");
	return g_string_free(text, FALSE);
}
