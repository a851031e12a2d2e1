/** Words the seeded CRM is made of. */
export const CITIES = [
  'Ghent', 'Bruges', 'Antwerp', 'Leuven', 'Mechelen', 'Kortrijk', 'Ostend', 'Namur', 'Liège', 'Mons', 'Hasselt', 'Tournai',
  'Utrecht', 'Leiden', 'Breda', 'Delft', 'Haarlem', 'Nijmegen', 'Arnhem', 'Zwolle', 'Groningen', 'Maastricht', 'Lille', 'Aachen',
] as const;

export const STREETS = [
  'Canal Street', 'Mill Lane', 'Station Road', 'Church Square', 'Market Street', 'Harbour Road', 'Linden Avenue', 'Garden Street',
  'Castle Road', 'Bridge Street', 'Orchard Lane', 'Abbey Road', 'Park Avenue', 'Weavers Street', 'Brewers Quay', 'North Gate',
] as const;

export const SAINTS = ['Mary', 'Luke', 'Anne', 'Joseph', 'Elizabeth', 'Martin', 'Vincent', 'Lucas', 'Barbara', 'Raphael', 'Clara', 'James'] as const;

export const FIRST_NAMES = [
  'Anna', 'Bram', 'Charlotte', 'Daan', 'Elise', 'Femke', 'Gilles', 'Hanne', 'Ines', 'Jonas', 'Karim', 'Lotte', 'Matteo', 'Nora',
  'Olivier', 'Pauline', 'Quinten', 'Roos', 'Samira', 'Thijs', 'Ursula', 'Victor', 'Wout', 'Yasmine', 'Zoë', 'Émile',
] as const;

export const LAST_NAMES = [
  'Aerts', 'Bakker', 'Claes', 'De Smet', 'Evers', 'Fontaine', 'Goossens', 'Hermans', 'Ivens', 'Jacobs', 'Kuipers', 'Lambert',
  'Maes', 'Nijs', 'Okafor', 'Peeters', 'Renard', 'Smits', 'Thijssen', 'Van Dam', 'Verhoeven', 'Willems', 'Yilmaz', 'Zwart',
] as const;

export const ROLES = [
  'Head nurse', 'Purchasing manager', 'Pharmacist', 'Surgeon', 'Ward manager', 'Lab director', 'Infection control nurse',
  'Practice manager', 'Physiotherapist', 'General practitioner',
] as const;

export const CALL_SUBJECTS = [
  'Product demonstration', 'Yearly price review', 'Trial follow-up', 'First introduction', 'Stock check', 'Training for the night shift',
  'Complaint about packaging', 'Contract renewal', 'New ward opening', 'Sample delivery', 'Budget planning', 'Feedback on dressings',
] as const;

export const CALL_NOTES = [
  'Wants two boxes on trial before the committee meets.',
  'Happy with delivery times, asks for larger packs.',
  'Compares with the current supplier; price matters less than stock.',
  'Prefers calls on Tuesday mornings.',
  'Asked for the wound care leaflet in French.',
  'Storage room is small: smaller and more frequent deliveries.',
  'New manager starts next month, introduce ourselves again.',
  'Two thermometers came back faulty, replacement promised.',
] as const;

export const SURVEYS = ['Yearly satisfaction', 'After the trial', 'Delivery and stock', 'New ward'] as const;

export const QUESTIONS = ['Quality of the products', 'Speed of delivery', 'Help when something is wrong'] as const;

/** Category, unit, and the products of it with their price in cents. */
export const PRODUCTS = [
  ['Wound care', 'box of 50', [
    ['Foam dressing 10 × 10', 8490], ['Foam dressing 15 × 15', 11250], ['Hydrogel dressing', 6475], ['Alginate rope', 9320],
    ['Film dressing, clear', 2895], ['Silicone tape', 1940], ['Compression bandage', 4380], ['Sterile gauze 5 × 5', 895],
    ['Wound cleansing solution', 1230], ['Surgical pad', 3160],
  ]],
  ['Diagnostics', 'piece', [
    ['Ear thermometer', 4995], ['Blood pressure monitor', 12900], ['Pulse oximeter', 5750], ['Glucose test strips', 2399],
    ['Stethoscope, adult', 8900], ['Otoscope set', 18750], ['Urine test strips', 1625], ['Lancets 28G', 780],
    ['Ultrasound gel 5 l', 1890], ['ECG electrodes', 2245],
  ]],
  ['Hygiene', 'carton', [
    ['Nitrile gloves S', 5960], ['Nitrile gloves M', 5960], ['Nitrile gloves L', 5960], ['Hand disinfectant 500 ml', 3640],
    ['Surface wipes', 2780], ['Surgical masks IIR', 1495], ['FFP2 masks', 3290], ['Isolation gowns', 7425], ['Shoe covers', 1180],
    ['Waste bags, yellow', 2015],
  ]],
  ['Surgery', 'pack', [
    ['Suture 3-0', 6890], ['Suture 4-0', 6890], ['Scalpel no. 11', 2340], ['Scalpel no. 22', 2340], ['Drape set', 15400],
    ['Sterile gloves 7½', 4720], ['Skin stapler', 9980], ['Suction tubing', 3875], ['Instrument tray', 21050], ['Skin marker', 990],
  ]],
  ['Mobility', 'piece', [
    ['Walking frame', 7490], ['Crutches, pair', 3450], ['Knee brace', 5890], ['Wrist splint', 2670], ['Anti-decubitus cushion', 14900],
    ['Transfer board', 8825], ['Wheelchair, folding', 32900], ['Grab bar 45 cm', 2190], ['Raised toilet seat', 4365], ['Walking stick', 1575],
  ]],
] as const;
