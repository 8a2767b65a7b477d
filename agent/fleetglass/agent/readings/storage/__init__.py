"""The health of disks, arrays and pools."""
