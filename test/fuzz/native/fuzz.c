// One input is one call: its first byte chooses which, the rest is what it is given. Every call is made twice, at other addresses and
// over other bytes, and must answer the same.
#include "calls.h"
#include "regions.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  open_memory();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  if (length == 0) return -1;
  const Call call = CALLS[bytes[0] % CALL_COUNT];
  for (int turn = 0; turn < 2; turn++) {
    Input input = {bytes + 1, length - 1};
    begin_answer(turn == 1);
    call(&input, (Place){turn == 0 ? 0x00 : 0xff, turn == 0 ? 0 : 40});
    end_answer();
  }
  return 0;
}
