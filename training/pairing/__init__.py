"""From pairs as they come to pairs fit to train on: intake, repair, duplicates, split, balance, audit, mix."""
