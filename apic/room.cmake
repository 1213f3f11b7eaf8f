ls_compile_together(apic lapic.c lapic_registers.c lapic_timer.c)
