# KVM_RUN, the chips' wires and the clock.
ls_compile_together(sim run.c clock.c irqchip.c bus_lock.c)
