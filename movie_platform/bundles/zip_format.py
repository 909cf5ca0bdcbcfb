"""The records of the ZIP format that bundles use, as APPNOTE.TXT 6.3 lays them out. Shared by writer and
reader.

Bundles use a small part of ZIP: entries that are stored or deflated, neither encrypted nor split over
disks, ZIP64 where sizes or counts need it.
"""

import struct

STORED = 0
DEFLATED = 8

FLAG_ENCRYPTED = 0x0001
FLAG_DESCRIPTOR = 0x0008
FLAG_STRONG_ENCRYPTION = 0x0040
FLAG_UTF8 = 0x0800
FLAG_MASKED_HEADERS = 0x2000

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
END_SIGNATURE = b"PK\x05\x06"
END64_SIGNATURE = b"PK\x06\x06"
END64_LOCATOR_SIGNATURE = b"PK\x06\x07"

# signature, version needed, flags, method, time, date, crc, deflated size, inflated size, name length,
# extra length
LOCAL_HEADER = struct.Struct("<4s5H3I2H")
# signature, version made by, version needed, flags, method, time, date, crc, deflated size, inflated size,
# name length, extra length, comment length, disk, internal attributes, external attributes, header offset
CENTRAL_HEADER = struct.Struct("<4s6H3I5H2I")
# signature, disk, disk of directory, entries on disk, entries, directory size, directory offset, comment
# length
END_RECORD = struct.Struct("<4s4H2IH")
# signature, size of the rest, version made by, version needed, disk, disk of directory, entries on disk,
# entries, directory size, directory offset
END64_RECORD = struct.Struct("<4sQ2H2I4Q")
# signature, disk of the END64 record, its offset, number of disks
END64_LOCATOR = struct.Struct("<4sIQI")
DESCRIPTOR = struct.Struct("<4s3I")
DESCRIPTOR64 = struct.Struct("<4sI2Q")
EXTRA_HEADER = struct.Struct("<2H")

EXTRA_ZIP64 = 0x0001
EXTRA_UNICODE_PATH = 0x7075

MAX_16 = 0xFFFF
MAX_32 = 0xFFFFFFFF

VERSION_PLAIN = 20
VERSION_ZIP64 = 45
MADE_ON_UNIX = 3

# 1980-01-01 00:00:00, the earliest time that ZIP knows: the same content gives the same bytes on any day.
FIXED_TIME = 0
FIXED_DATE = (0 << 9) | (1 << 5) | 1
