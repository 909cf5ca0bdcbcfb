"""Which films have been listed already: one bit a film, so that a million of them take no memory to speak of."""

# TMDB counts its films from 1 and has had some two million ids; a larger number than this is no film's.
_LARGEST = 2**27


class SeenIds:
    """A set of film ids that only grows."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self._others: set[int] = set()

    def add(self, number: int) -> bool:
        """Add an id; True where it was not there yet."""
        if not 0 <= number < _LARGEST:
            new = number not in self._others
            self._others.add(number)
            return new
        index, bit = number >> 3, 1 << (number & 7)
        if index >= len(self._bits):
            self._bits.extend(bytes(index + 1 - len(self._bits)))
        new = not self._bits[index] & bit
        self._bits[index] |= bit
        return new
