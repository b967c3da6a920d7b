"""What a build makes: reproducible packages, locked dependencies, SBOMs, library, image, check records."""
