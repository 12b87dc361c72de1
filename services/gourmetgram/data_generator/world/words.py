"""The vocabulary of captions and comments. Edit freely: no other file knows these words."""

DISHES = {
    "Bread": "sourdough loaf|garlic naan|rye bread|focaccia|cinnamon buns|soda bread|brioche|seeded baguette",
    "Dairy": "burrata|baked feta|whipped butter|labneh|mango lassi|cheese board|yoghurt bowl|paneer",
    "Dessert": "lemon tart|tiramisu|chocolate cake|mochi|pavlova|baklava|berry crumble|flan",
    "Egg": "shakshuka|soft-boiled eggs|spinach omelette|egg curry|frittata|deviled eggs|poached eggs",
    "Fried": "tempura|onion rings|karaage|samosas|churros|fish fingers|plantain chips|spring rolls",
    "Meat": "lamb chops|beef stew|pulled pork|chicken skewers|meatballs|roast duck|short ribs|kofta",
    "Noodles": "hand-pulled noodles|pad thai|carbonara|dan dan noodles|lasagne|cold soba|pesto linguine|laksa noodles",
    "Rice": "mushroom risotto|jollof rice|egg fried rice|biryani|onigiri|paella|arroz con pollo|rice pilaf",
    "Seafood": "grilled prawns|mussels in wine|salmon poke|ceviche|crab cakes|fish tacos|octopus salad|oysters",
    "Soup": "miso soup|tomato soup|pho|borscht|lentil soup|clam chowder|ramen broth|pumpkin soup",
    "Veggie": "roast carrots|greek salad|stuffed peppers|aloo gobi|ratatouille|slaw|grilled aubergine|falafel plate",
}

ADJECTIVES = [
    "crispy",
    "silky",
    "smoky",
    "buttery",
    "tangy",
    "slow-cooked",
    "leftover",
    "weekend",
    "very spicy",
    "perfectly golden",
    "slightly burnt",
    "homemade",
    "my grandmother's",
    "three-ingredient",
    "midnight",
    "market-fresh",
]

OPENINGS = [
    "Finally tried making {dish}.",
    "{adjective} {dish}, and nothing else matters.",
    "Does anyone else eat {dish} at {time}?",
    "First attempt at {dish}. Be kind.",
    "{dish} for {people}, gone in {minutes} minutes.",
    "Rate my {dish}!",
    "{adjective} {dish} after a long {day}.",
    "Someone asked for my {dish}: here it is.",
    "{dish}. That is the post.",
    "Swapped the butter for olive oil in this {dish}.",
    "Sunday means {adjective} {dish}.",
    "Day {minutes} of {dish}.",
    "Found this {dish} at the corner place near the station.",
    "Not the prettiest {dish}, but the best I have had in years.",
]

ENDINGS = [
    "",
    "",
    "",
    "",
    "Recipe in the comments.",
    "Would make again.",
    "The secret is patience.",
    "My neighbours could smell it.",
    "What would you add?",
    "Next time with more garlic.",
    "Took {minutes} minutes from start to plate.",
    "No filter.",
    "I followed the recipe for once, weighed everything, and it shows: {adjective} on the outside, soft in the middle.",
    "Served with lemon, a pile of herbs and far too much chilli, because that is how we do it at home.",
    "#foodie #homemade",
    "#dinner",
    "#{day}dinner #gourmetgram",
]

PROMOTIONS = [
    "Lose 8 kilos in 5 days with this one {dish}, doctors hate it, link in my profile",
    "CHEAP FOLLOWERS!!! {dish} {dish}",
    "you won't believe what is inside this {dish}",
    "free voucher for everyone who shares this {dish} in {minutes} minutes",
    "{dish} cures everything, throw away your pills and message me",
]

TIMES = ["midnight", "breakfast", "3 in the afternoon", "the office", "the bus stop"]
PEOPLE = ["two", "the whole street", "six hungry students", "my parents", "one, I am not sorry"]
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

PRAISE = [
    "Looks delicious!",
    "I could eat this every day.",
    "Saving this for {day}.",
    "Yum.",
    "The colours are wonderful.",
    "Tell us the recipe, please.",
    "How long did it cook?",
    "Which flour did you use?",
    "Made this for {people}, thank you.",
    "My own version never looks like this.",
    "Invite me next {day}!",
    "That is {adjective} heaven.",
    "Ten out of ten.",
    "Needs more pepper, otherwise perfect.",
    "I am hungry now.",
    "Is this from {time}?",
    "Wow, {minutes} minutes only?",
]

COMPLAINTS = [
    "This is not food.",
    "Please take this down.",
    "That looks unsafe to eat.",
    "Stolen photo, I have seen it elsewhere.",
    "Why is this in my feed?",
    "This is misleading, nobody should try it.",
    "Reported.",
    "My kid saw this, not okay.",
    "Selling something again?",
    "Raw in the middle, people will get ill.",
    "Delete this.",
]

SPAM = [
    "Follow me for {minutes} free recipes",
    "Great content! Visit my page",
    "I earn {minutes} an hour from home, ask me how",
    "Best knives, {minutes} % off today only",
    "DM me",
    "first!!",
]

FLAG_REASONS = {
    "harmful": ("misleading health claim", "spam or advertising", "not food", "unsafe to eat", "stolen photo"),
    "mistaken": ("I do not like it", "not food", "spam or advertising", "wrong category"),
    "comment": ("spam or advertising", "rude", "off topic"),
}
