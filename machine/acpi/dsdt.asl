/* SPDX-License-Identifier: Apache-2.0 */
/* The PC's namespace. Addresses and interrupts as machine/memory.h, irq.h and pm.h have them. */
DefinitionBlock ("", "DSDT", 2, "LOCKST", "LOCKSTEP", 1)
{
	/* SLP_TYP of PM1a: machine/pm.h. */
	Name (\_S3, Package () { 1, 1, 0, 0 })
	Name (\_S5, Package () { 0, 0, 0, 0 })

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_BBN, 0)
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0, 0, 255, 0, 256)
				IO (Decode16, 0x0cf8, 0x0cf8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0xc000, 0xffff, 0, 0x4000)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite,
					0, 0xd0000000, 0xfebfffff, 0, 0x2ec00000)
			})

			/* INTA of slot s: GSI 16 + s % 4; single-function devices have no other pin
			 * (PCI 3.0, 2.2.6). Data, not a method: Linux evaluates it for every device. */
			Name (_PRT, Package (32)
			{
				Package (4) {0x0000ffff, 0, 0, 16},
				Package (4) {0x0001ffff, 0, 0, 17},
				Package (4) {0x0002ffff, 0, 0, 18},
				Package (4) {0x0003ffff, 0, 0, 19},
				Package (4) {0x0004ffff, 0, 0, 16},
				Package (4) {0x0005ffff, 0, 0, 17},
				Package (4) {0x0006ffff, 0, 0, 18},
				Package (4) {0x0007ffff, 0, 0, 19},
				Package (4) {0x0008ffff, 0, 0, 16},
				Package (4) {0x0009ffff, 0, 0, 17},
				Package (4) {0x000affff, 0, 0, 18},
				Package (4) {0x000bffff, 0, 0, 19},
				Package (4) {0x000cffff, 0, 0, 16},
				Package (4) {0x000dffff, 0, 0, 17},
				Package (4) {0x000effff, 0, 0, 18},
				Package (4) {0x000fffff, 0, 0, 19},
				Package (4) {0x0010ffff, 0, 0, 16},
				Package (4) {0x0011ffff, 0, 0, 17},
				Package (4) {0x0012ffff, 0, 0, 18},
				Package (4) {0x0013ffff, 0, 0, 19},
				Package (4) {0x0014ffff, 0, 0, 16},
				Package (4) {0x0015ffff, 0, 0, 17},
				Package (4) {0x0016ffff, 0, 0, 18},
				Package (4) {0x0017ffff, 0, 0, 19},
				Package (4) {0x0018ffff, 0, 0, 16},
				Package (4) {0x0019ffff, 0, 0, 17},
				Package (4) {0x001affff, 0, 0, 18},
				Package (4) {0x001bffff, 0, 0, 19},
				Package (4) {0x001cffff, 0, 0, 16},
				Package (4) {0x001dffff, 0, 0, 17},
				Package (4) {0x001effff, 0, 0, 18},
				Package (4) {0x001fffff, 0, 0, 19}
			})
		}

		/* Claims what no driver does, so that no one is given it. */
		Device (MBRD)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_UID, 1)
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, 0xc0000000, 0x10000000)
				IO (Decode16, 0x0600, 0x0600, 1, 0x10)
				IO (Decode16, 0x0510, 0x0510, 1, 0x0c)
				IO (Decode16, 0x0092, 0x0092, 1, 1)
			})
		}

		Device (TIMR)
		{
			Name (_HID, EisaId ("PNP0100"))
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0040, 0x0040, 1, 4)
				IRQNoFlags () { 0 }
			})
		}

		Device (RTC)
		{
			Name (_HID, EisaId ("PNP0B00"))
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0070, 0x0070, 1, 2)
				IRQNoFlags () { 8 }
			})
		}

		Device (KBD)
		{
			Name (_HID, EisaId ("PNP0303"))
			Name (_STA, 0x0f)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0060, 0x0060, 1, 1)
				IO (Decode16, 0x0064, 0x0064, 1, 1)
				IRQNoFlags () { 1 }
			})
		}

		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Name (_STA, 0x0f)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x03f8, 0x03f8, 1, 8)
				IRQNoFlags () { 4 }
			})
		}
	}
}
