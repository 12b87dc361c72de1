"""Photos of food: the Food-11 archive unpacked and sorted, or pictures drawn by class when there is no archive."""
