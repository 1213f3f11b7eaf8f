/* SPDX-License-Identifier: Apache-2.0 */
/* Two results of one instruction, without what the manuals leave open. */
#include <string.h>

#include "sim/cpu/fpu.h"
#include "sim/cpu/xstate.h"
#include "tests/native/native.h"

/* Flags that user mode sees and that no host event can move. */
#define FLAGS_SEEN (FLAG_ARITH | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID | FLAG_TF)

static const char *const names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
				      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

/* Bytes that the pointers of the x87 occupy in memory images: the host's kernel moves them. */
static const struct {
	const char *mnemonic;
	u8 first16, last16, first32, last32;
} pointers[] = {
	{"fnstenv", 6, 13, 12, 27}, {"fnsave", 6, 13, 12, 27},  {"fxsave", 6, 23, 6, 23},
	{"fxsave64", 6, 23, 6, 23}, {"xsave", 6, 23, 6, 23},    {"xsave64", 6, 23, 6, 23},
	{"xsavec", 6, 23, 6, 23},   {"xsavec64", 6, 23, 6, 23},
};

static u64 get(const u8 *at, unsigned int size)
{
	u64 value = 0;

	memcpy(&value, at, size);
	return value;
}

/* Components that XSTATE_BV calls initial become so; x87 pointers and reserved bytes go. */
static void normalise(u8 *area)
{
	static const u8 init[8] = {0x7f, 0x03};
	u64 present = get(area + XSTATE_LEGACY_SIZE, 8);

	if (!(present & XSTATE_X87)) {
		memset(area, 0, FXSAVE_MXCSR);
		memset(area + FXSAVE_ST, 0, 128);
		memcpy(area, init, sizeof(init));
	}
	if (!(present & XSTATE_SSE))
		memset(area + FXSAVE_XMM, 0, 256);
	if (!(present & XSTATE_AVX))
		memset(area + XSTATE_EXTENDED, 0, 256);
	memset(area + 5, 0, FXSAVE_MXCSR - 5); /* FOP, FIP, FDP */
	memset(area + FXSAVE_MXCSR + 4, 0, 4); /* MXCSR_MASK */
	for (unsigned int n = 0; n < 8; n++)
		memset(area + FXSAVE_ST + 16 * n + 10, 0, 6);
	memset(area + FXSAVE_END, 0, XSTATE_EXTENDED - FXSAVE_END);
}

static bool differ(FILE *out, bool *same, const char *name, int number, u64 host, u64 guest)
{
	*same = false;
	if (out)
		fprintf(out,
			number < 0 ? "    %s%.0d: host %#llx, lockstep %#llx\n"
				   : "    %s%d: host %#llx, lockstep %#llx\n",
			name, number < 0 ? 0 : number, (unsigned long long)host,
			(unsigned long long)guest);
	return out;
}

static bool compare_xsave(const u8 *host_area, const u8 *guest_area, FILE *out)
{
	u8 host[XSAVE_BYTES], guest[XSAVE_BYTES];
	bool same = true;
	unsigned int n;

	memcpy(host, host_area, XSAVE_BYTES);
	memcpy(guest, guest_area, XSAVE_BYTES);
	normalise(host);
	normalise(guest);
	if (!memcmp(host, guest, XSAVE_BYTES))
		return true;
	if (get(host, 2) != get(guest, 2))
		differ(out, &same, "fcw", -1, get(host, 2), get(guest, 2));
	if (get(host + 2, 2) != get(guest + 2, 2))
		differ(out, &same, "fsw", -1, get(host + 2, 2), get(guest + 2, 2));
	if (host[4] != guest[4])
		differ(out, &same, "tags", -1, host[4], guest[4]);
	if (get(host + FXSAVE_MXCSR, 4) != get(guest + FXSAVE_MXCSR, 4))
		differ(out, &same, "mxcsr", -1, get(host + FXSAVE_MXCSR, 4),
		       get(guest + FXSAVE_MXCSR, 4));
	for (n = FXSAVE_ST; n < XSAVE_BYTES; n += 8) {
		const char *name = n < FXSAVE_XMM        ? (n & 8 ? "st.exponent" : "st.mantissa")
				   : n < XSTATE_EXTENDED ? (n & 8 ? "xmm.high" : "xmm.low")
							 : (n & 8 ? "ymm.q3 of " : "ymm.q2 of ");
		unsigned int base = n < FXSAVE_XMM        ? FXSAVE_ST
				    : n < XSTATE_EXTENDED ? FXSAVE_XMM
							  : XSTATE_EXTENDED;

		if (get(host + n, 8) != get(guest + n, 8))
			differ(out, &same, name, (int)(n - base) / 16, get(host + n, 8),
			       get(guest + n, 8));
	}
	return false;
}

/* The bytes of an image at its lowest differing place: pointers are taken out on both sides by
 * their distance from the operand, whose address the case knows. */
static void mask_pointers(const struct encoding *e, const struct native_case *item, u8 *host,
			  u8 *guest)
{
	u64 at = e->offset;

	for (unsigned int n = 0; n < ARRAY_SIZE(pointers); n++) {
		unsigned int first, last;

		if (strcmp(e->row->mnemonic, pointers[n].mnemonic))
			continue;
		first = e->width == 1 ? pointers[n].first16 : pointers[n].first32;
		last = e->width == 1 ? pointers[n].last16 : pointers[n].last32;
		if (!e->rip_relative && !e->absolute) {
			at = (u64)e->disp + (e->base >= 0 ? item->in.gpr[e->base] : 0) +
			     (e->index >= 0 ? item->in.gpr[e->index] << e->scale : 0);
			at = e->bits == 64 ? (e->address32 ? (u32)at : at)
					   : (e->address32 ? (u32)at : (u16)at);
			at -= native_data(e->bits);
		}
		for (; first <= last && at + first < NATIVE_PAGE; first++)
			host[at + first] = guest[at + first] = 0;
		/* MXCSR_MASK shows MISALIGNSSE, which the interpreter does not offer. */
		if (pointers[n].first32 == 6 && at + 30 < NATIVE_PAGE)
			host[at + 30] = guest[at + 30] = 0;
	}
}

static bool compare_memory(const struct encoding *e, const struct native_case *item, FILE *out)
{
	static u8 host[NATIVE_PAGE], guest[NATIVE_PAGE];
	bool same = true;
	unsigned int n, shown = 0;

	if (!memcmp(item->host.memory, item->guest.memory, NATIVE_PAGE))
		return true;
	memcpy(host, item->host.memory, NATIVE_PAGE);
	memcpy(guest, item->guest.memory, NATIVE_PAGE);
	mask_pointers(e, item, host, guest);
	for (n = 0; n < NATIVE_PAGE; n++)
		if (host[n] != guest[n] && shown++ < 16)
			differ(out, &same, "memory+", (int)n, host[n], guest[n]);
	return same;
}

/* Linux sets P in what it tells of kernel addresses. */
static u32 error_seen(const struct native_state *host)
{
	return host->vector == VECTOR_PF ? ~1u : ~0u;
}

static bool compare_general(const struct encoding *e, const struct native_case *item, FILE *out)
{
	const struct native_state *host = &item->host, *guest = &item->guest;
	u64 seen = FLAGS_SEEN & ~(u64)(host->vector == NO_FAULT ? e->row->undefined : 0);
	bool same = true;
	unsigned int n;

	if (host->vector != guest->vector)
		differ(out, &same, "vector", -1, host->vector, guest->vector);
	else if (host->vector != NO_FAULT && (host->error ^ guest->error) & error_seen(host))
		differ(out, &same, "error code", -1, host->error, guest->error);
	if (host->rip != guest->rip)
		differ(out, &same, "rip", -1, host->rip, guest->rip);
	/* Outside 64-bit code the rest is undefined (SDM 1:3.4.1.1). */
	for (n = 0; n < (e->bits == 64 ? 16 : 8); n++)
		if ((host->gpr[n] ^ guest->gpr[n]) & (e->bits == 64 ? ~UINT64_C(0) : UINT32_MAX))
			differ(out, &same, names[n], -1, host->gpr[n], guest->gpr[n]);
	if ((host->rflags ^ guest->rflags) & seen)
		differ(out, &same, "rflags", -1, host->rflags & seen, guest->rflags & seen);
	return same;
}

/* SHLD and SHRD by more than the operand has bits: result and flags undefined (SDM 2B). */
static bool undefined_result(const struct encoding *e, const struct native_case *item)
{
	bool immediate = e->form->opcode == 0xa4 || e->form->opcode == 0xac;
	u8 count = immediate ? e->bytes[e->length - 1] : (u8)item->in.gpr[1];

	return (!strcmp(e->row->mnemonic, "shld") || !strcmp(e->row->mnemonic, "shrd")) &&
	       e->width == 1 && (count & 31) > 16;
}

bool compare(const struct encoding *e, const struct native_case *item, FILE *out)
{
	bool same;

	if (undefined_result(e, item))
		return true;
	same = compare_general(e, item, out);
	same &= compare_xsave(item->host.xsave, item->guest.xsave, out);
	return compare_memory(e, item, out) && same;
}
