// A hundred short texts for a demo in a folder without packages: `title | question | answer`, ten on each of
// ten subjects. Neighbours are similar on purpose: two tides, two tsunamis, two ways of making tea.
import type { DemoText } from './texts'

const lines = `
spring tides | When are the tides highest? | Tides are highest near new moon and full moon, when the Sun and the Moon pull the sea along one line. Sailors call these tides spring tides.
neap tides | When are the tides weakest, and high tide low? | Tides are weakest at half moon, when the Sun pulls the sea across the Moon: high tide is low then, and low tide is high. Sailors call these tides neap tides.
two tides | Why are there two high tides a day? | The Moon pulls most at the side of the sea that faces it and least at the far side. The sea rises on both sides, so most coasts have two high tides a day.
Bay of Fundy | Where does the tide rise highest? | In the Bay of Fundy in Canada the tide rises up to sixteen metres, because the water of the bay swings back and forth at nearly the pace of the tide.
speed of a tsunami | How fast is a tsunami wave in the deep sea? | A tsunami crosses the deep sea as fast as a jet, and the wave is hardly a metre high there. Only near the coast does the wave slow down and rise.
wind waves | How does the wind make waves on the sea? | Wind makes most waves of the sea: the longer and the farther it blows over open water, the higher the waves rise.
salt | Why is the water of the sea salty? | Rivers wash salt out of rock and carry it to the sea. Water leaves the sea when it evaporates, but the salt stays.
deepest sea | How deep is the deepest sea? | The deepest place of the sea, the Challenger Deep in the Pacific Ocean, lies about eleven kilometres below the surface.
Gulf Stream | What does the Gulf Stream carry across the ocean? | The Gulf Stream carries warm water across the Atlantic Ocean, and western Europe owes a part of its mild winters to it.
sea ice | Why does ice float on the sea? | Water expands when it turns to ice, so ice is lighter than the sea. It floats with about a tenth of it above the surface.
Olympus Mons | Which planet has the highest volcano? | The highest volcano of any known planet is Olympus Mons on Mars, about two and a half times as high as Mount Everest.
Jupiter | Which planet is the largest? | Jupiter is the largest planet of the solar system. It has more than twice the mass of all other planets together.
Saturn | Which planet has rings of ice and rock? | The rings of the planet Saturn are made of countless pieces of ice and rock, in a disc that is often only tens of metres thick.
heat of Venus | Which planet is the hottest of the solar system? | Venus is the hottest planet of the solar system, hotter than Mercury, because its thick air holds the heat of the Sun.
Mercury | Which planet is nearest to the Sun? | Mercury is the planet nearest to the Sun. It goes around the Sun in 88 days, faster than any other planet of the solar system.
day on Venus | On which planet is a day longer than a year? | Venus turns so slowly that the planet goes once around the Sun before it has turned once: its day is longer than its year.
moons of Mars | How many moons has the planet Mars? | The planet Mars has two small moons, Phobos and Deimos. Phobos goes around the planet three times in one day of Mars.
Ganymede | Which moon is the largest of the solar system? | Ganymede, a moon of the planet Jupiter, is the largest moon of the solar system, and larger than the planet Mercury.
Io | Which moon of Jupiter has volcanoes? | Io, a moon of the planet Jupiter, has hundreds of active volcanoes, because the pull of the planet kneads the rock inside the moon.
one side of the Moon | Why do we see only one side of the Moon? | The Moon turns once in the time in which it goes once around the Earth, so we always see the same side of the Moon.
magma | Which molten rock is magma, and which is lava? | Molten rock is called magma below the ground. It is called lava when a volcano has brought it to the surface.
earthquake | What makes the ground shake in an earthquake? | Plates of rock move past each other and stick. When the rock breaks free, the ground shakes in an earthquake.
magnitude | What does the magnitude of an earthquake tell? | One step of magnitude means about 32 times the energy of an earthquake, so small steps of magnitude are large differences.
tsunami from below | Which earthquake makes a tsunami wave? | An earthquake makes a tsunami when it lifts or drops the ground below the sea, and with it all the water above; the wave runs to every coast.
ring of fire | Where on the Earth are most volcanoes and earthquakes? | Most volcanoes and earthquakes of the Earth lie around the Pacific Ocean, where plates of rock sink below their neighbours.
volcanic ash | Why is the ash of a volcano dangerous to aircraft? | The ash of a volcano is ground rock and glass. It melts in the engines of an aircraft and sticks there.
Pompeii | Which volcano buried the town of Pompeii below ash? | In the year 79 the volcano Vesuvius buried the town of Pompeii below metres of ash and pumice.
pumice | Which rock floats on water? | Pumice, a rock from a volcano, is so full of bubbles of gas that it floats on water.
geyser | Why does a geyser throw hot water into the air? | Hot rock below the ground heats the water of a geyser in narrow pipes, until some of it boils and throws the water above into the air.
Hawaii | Why are the volcanoes of Hawaii a row of islands on a plate? | A plate of rock drifts over a hot place in the Earth, and volcanoes rise there one after another: the islands of Hawaii are such a row.
dance of bees | How does a bee tell the hive where flowers are? | A bee that has found flowers dances in the hive. The direction and the length of her dance tell the other bees where to fly.
honey | How do bees make honey in the hive? | Bees carry nectar from flowers to the hive. They fan it with their wings until most of the water is gone and honey is left.
honeycomb | Why does a honeycomb have six sides to each cell? | Cells with six sides fill a honeycomb without gaps, and bees need the least wax for the honey that such cells hold.
queen bee | How does a larva become the queen of the bees? | A larva that bees feed with royal jelly all the time becomes a queen. Other larvae get pollen and honey and become workers.
drones | What do male bees do in the hive? | Male bees, called drones, gather no honey and have no sting. They mate with a young queen, and in autumn the workers drive them out of the hive.
bees in winter | How do bees keep warm in winter? | In winter bees crowd around their queen in the hive, eat their honey, and keep warm by shivering the muscles of their wings.
trail of ants | How do ants find the way to food? | An ant that has found food leaves a trail of scent on its way home, and other ants of the colony follow the trail to the food.
strength of ants | How much weight does an ant carry? | An ant can carry many times its own weight, because a small body has much muscle for little weight.
leafcutter ants | What do ants do with the leaves that they cut? | Leafcutter ants do not eat the leaves that they carry home. The colony grows a fungus on the leaves, and the ants eat the fungus.
army ants | How do army ants build a nest around the queen? | Army ants build a nest out of their own bodies: the workers of the colony hold on to each other around the queen.
Arctic tern | Which bird flies farthest in a year? | The Arctic tern flies farthest of all birds: each year from the Arctic to the Antarctic and back.
godwit | Which bird flies longest without rest? | A bar-tailed godwit flew from Alaska to Tasmania in eleven days without rest or food, the longest known flight of any bird.
falcon | Which bird is the fastest in flight? | The peregrine falcon is the fastest bird: it dives from its flight at more than three hundred kilometres an hour.
hummingbird | How do the wings of a hummingbird hold it still in the air? | A hummingbird turns its wings over at each stroke, so that both strokes of the wings lift the bird and it stands still in the air.
owl | Why does the flight of an owl make no sound? | Soft fringes on the feathers of its wings break up the air, so the flight of an owl makes hardly a sound.
penguin | Why do the wings of a penguin not lift it into the air? | The wings of a penguin are short and stiff: too small for flight in the air, and just right for flight under water, where the bird hunts.
cuckoo | Which bird lays its eggs into the nest of another bird? | The cuckoo lays its eggs into the nest of another bird, and that bird feeds the young cuckoo as its own.
geese | Why do geese save strength in a long flight when they fly in a V? | Each goose flies in the rising air beside the wings of the bird in front, which saves strength in a long flight.
compass of birds | How do birds find the way on a long flight? | On a long flight birds find the way by the Sun, by the stars, and by the magnetic field of the Earth.
bones of birds | Why are the bones of birds so light? | Many bones of a bird are hollow, with struts inside, so its body is light enough for flight, and strong.
yeast | Why does yeast make dough rise? | Yeast eats the sugar in the dough and gives off gas. The bubbles of gas make the dough rise before it becomes bread.
sourdough | Which acid and yeast make sourdough bread sour? | In sourdough wild yeast lives beside bacteria that make acid, so the bread is sour and keeps longer.
gluten | What holds the dough of bread together? | Kneading joins proteins of the flour into gluten, an elastic net that holds bubbles of gas in the dough and the bread together.
crust | Why does the crust of bread turn brown? | In a hot oven sugar and proteins on the surface of the dough react with each other, and the crust of the bread turns brown.
stale bread | Why does bread become stale? | Bread becomes stale because the starch of its flour turns to crystals again, and in a refrigerator bread does so faster than outside.
first bread | How old is the oldest bread? | The oldest bread that was found, a flat bread from Jordan, is about fourteen thousand years old: people ground flour and baked before they farmed.
cheese | How does milk become cheese? | Rennet makes the proteins of milk clot. The clot is cut, drained and salted, and becomes cheese while it ripens.
holes in cheese | Why does cheese have holes? | Bacteria in the ripening cheese give off gas, and the bubbles of gas become the holes of Swiss cheese.
blue cheese | What grows in blue cheese while it ripens? | A mould grows inside the cheese and makes it blue. Needles pierce the cheese while it ripens, so that the mould gets air.
yoghurt | How does milk become yoghurt? | Bacteria turn the sugar of warm milk into acid. The acid thickens the proteins until the milk becomes yoghurt.
green and black tea | What is the difference between green tea and black tea? | Green tea and black tea are leaves of one plant. For black tea the leaves turn brown in the air; for green tea heat stops that.
matcha | Why do people who drink matcha tea drink the leaves? | Matcha is green tea whose leaves are ground to powder, so that people drink the leaves and not only the water.
first tea | Where did people first drink tea? | The tea plant grows wild where China, India and Burma meet, and people in China drank the water of its leaves two thousand years ago.
coffee beans | What are the beans of coffee? | The beans of coffee are the seeds of a red fruit, the coffee cherry. Most cherries hold two of them.
roast coffee | Why are the beans of coffee roasted? | Green beans of coffee taste of grass. When they are roasted they turn brown and crack, and the aromas of coffee come about.
espresso | How is water pressed through coffee for an espresso? | For an espresso hot water is pressed through finely ground coffee, with about nine times the pressure of the air.
caffeine in leaves | Why do plants of tea and coffee make caffeine? | Plants of tea and coffee make caffeine as a poison against insects that eat their leaves.
caffeine and sleep | Why does caffeine keep people awake? | Caffeine takes the place of a substance that tells the brain it is tired, so coffee and tea keep people awake.
coffee without caffeine | How is caffeine taken out of coffee? | Before they are roasted, the green beans of coffee are soaked in water or in dense carbon dioxide, which takes the caffeine out.
cooler water for tea | Why does green tea need cooler water? | Boiling water takes bitter substances out of the leaves of green tea, so green tea needs cooler water than black tea.
leap day | Why does the calendar have a leap day? | A year is about a quarter of a day longer than 365 days. Every fourth year gets a leap day, or the calendar would drift away from the seasons.
lost days | Why did the calendar lose ten days in 1582? | The old calendar had too many leap years. In 1582 it lost ten days, and the new calendar leaves out three leap years in four centuries.
pendulum | How do the swings of a pendulum move a clock? | A pendulum takes nearly the same time for every small swing, so its swings tell a clock when to move its hands.
quartz | How does a quartz clock keep time? | In a quartz clock a crystal swings 32 768 times a second, and the clock counts these swings to keep time.
atomic clock | How exact is an atomic clock? | The best atomic clocks count the swings of light in atoms, and would lose less than a second in the age of the Earth.
clock at sea | Why did sailors need an exact clock? | A clock that keeps the time of home tells sailors how far east or west they are: four minutes between its noon and theirs make one degree.
sundial | Why does a sundial show another time than a clock? | A sundial shows the time of the Sun, which runs up to a quarter of an hour before a clock or behind it in the course of a year.
leap second | Why does a clock get a leap second? | The Earth does not turn quite evenly, so the time of atomic clocks has now and then got a leap second.
time zones | Why does the Earth have time zones? | Each town once kept the time of its own noon. Railways needed one time for a long line, and so time zones came about.
minutes | Why does an hour have sixty minutes? | Scholars of Babylon counted in sixties, so an hour has sixty minutes and a minute sixty seconds, on every clock.
first paper | Where was paper first made, and of what? | Paper was first made in China about two thousand years ago, of bark, hemp and rags. Wood became paper only in the nineteenth century.
papyrus | Are there fibres in papyrus as in paper? | Papyrus is strips of a reed, laid crosswise and pressed, with all fibres in their place. For paper the fibres are soaked apart and settle on a sieve.
parchment | Why do books of parchment outlast books of paper? | Parchment is the skin of a sheep, a goat or a calf, scraped and dried. It is tough and free of acid, so books of parchment outlast most books of paper.
type of clay | Who printed books with movable type first? | Bi Sheng in China printed with movable type of baked clay, four centuries before Gutenberg printed books in Europe.
type of metal | How did Gutenberg print books? | Gutenberg cast movable type of metal, mixed an oily ink that sticks to metal, and printed books on paper with a screw press.
iron ink | Why does old ink eat holes into books? | The ink of old books was made of iron and oak galls. The acid of such ink eats holes into paper where letters were.
yellow paper | Why does old paper turn yellow? | Cheap paper holds lignin of the wood, which turns yellow in light and air: the paper of a newspaper turns yellow in days.
pencil | What makes the line of a pencil on paper dark? | A pencil holds graphite and clay. The more graphite, the softer the pencil and the darker its line on paper; the more clay, the harder and paler.
A4 | Why does half a sheet of paper have the same shape as the sheet? | The long side of a sheet of A4 is 1.414 times the short side, so that half a sheet of paper has the same shape again.
recycled paper | How often can the fibres of paper be recycled? | Each time paper is recycled its fibres become shorter. After about six times the fibres no longer hold together as paper.
octave | Why do two notes an octave apart sound alike? | Two notes are an octave apart when one string swings twice as fast as the other. The notes sound so alike that they have one name.
pitch of a string | Why does a short string have a higher note? | A string swings faster and has a higher note when it is shorter, lighter or under more tension.
bow | How does a bow make the string of a violin sound? | The bow grips the string of a violin and lets it slip hundreds of times a second, and the string swings and sounds.
piano | How does a piano make the strings sound? | A key of the piano throws a hammer of felt at the strings. A damper stops the sound when the key is let go.
harpsichord | Why is every note of a harpsichord equally loud, and not of a piano? | A harpsichord plucks its strings, so every note is equally loud. A piano strikes its strings, loud or soft as the key is pressed.
flute | Why does an open hole of a flute make the note higher? | In a flute the air swings in the pipe. Every open hole makes the pipe shorter and the note higher.
organ | Why is the pipe of a low note on an organ so long? | The longer the pipe of an organ, the lower the note: a pipe of ten metres makes a sound that is felt more than heard.
thunder | How fast does sound travel through the air? | Sound travels through the air at about 340 metres a second, so the sound of thunder that comes three seconds after the lightning has come a kilometre.
whales | How fast does sound travel through water? | Sound travels through water more than four times as fast as through the air, and whales hear the sound of each other over hundreds of kilometres.
beats | Why do two strings nearly in tune pulse? | Two strings nearly in tune swing now together and now against each other, so that their sound pulses until one string is tuned to the other.
`

export const facts: readonly DemoText[] = lines
  .trim()
  .split('\n')
  .map((line) => {
    const [name, query, document] = line.split(' | ') as [string, string, string]
    return { name, query, document }
  })
