"""Calendar services behind `tandem.calendaring.provider`. No Django here."""
