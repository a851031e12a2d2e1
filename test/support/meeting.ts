/** Resolves for everybody when so many have come. */
export function createMeeting(size: number): () => Promise<void> {
  let open = (): void => {};
  const isOpen = new Promise<void>((resolve) => (open = resolve));
  let present = 0;
  return () => {
    if (++present === size) open();
    return isOpen;
  };
}
