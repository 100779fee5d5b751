/* Returns with nothing on the stack. */
int main(void) { __asm__ volatile("ldi r24, 0x08\n out 0x3e, r24\n ldi r24, 0xff\n out 0x3d, r24\n ret"); }
