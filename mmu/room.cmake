# Every TLB miss comes here.
ls_compile_together(mmu walk.c walk_entry.c walk_sticky.c paging_mode.c second_stage.c ept.c ept_sticky.c)
