/* Never talks to anybody. */
int main(void) {
  for (;;) {
  }
}
