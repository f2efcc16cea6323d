package dev.cambium.story.data;

import java.util.ArrayList;
import java.util.List;

/**
 * The wordings. A closed list of words, so that a tokenizer of a few hundred merges knows nearly
 * all of them as one token.
 *
 * <p>Slots: {@code {p}} a product, {@code {w}} a place, {@code {d}} a weekday, {@code {n}} a
 * person, {@code {a}} an amount.
 */
final class Phrases {

  private Phrases() {}

  static final List<String> PLACES =
      List.of(
          "on the train",
          "in a shop",
          "at home",
          "in the park",
          "at work",
          "on the bus",
          "at the airport",
          "in a taxi");
  static final List<String> DAYS =
      List.of("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday");
  static final List<String> NAMES =
      List.of(
          "anna", "ben", "carla", "david", "emma", "felix", "greta", "henry", "ida", "jonas",
          "karl", "lena", "maria", "nora", "oscar", "paula");

  static final List<String> TRAIN_OPENERS =
      List.of("", "", "", "hello, ", "hi, ", "please help, ", "sorry, ", "dear bank, ");
  static final List<String> TEST_OPENERS =
      List.of("", "", "good morning, ", "hey, ", "i need help, ");
  static final List<String> TRAIN_CLOSERS = List.of("", "", "", " please", " today", " thanks");
  static final List<String> TEST_CLOSERS = List.of("", "", " again", " thank you");

  /** What the cards desk is asked from the beginning. */
  static final List<Intent> CARDS =
      parse(
          """
          card-lost security
          + i lost my {p} card {w}
          + my {p} card is lost
          + i cannot find my {p} card
          + my {p} card is missing since {d}
          + i left my {p} card {w} and now it is gone
          + the {p} card is gone and i cannot find it
          + i dropped my {p} card {w}
          + my {p} card went missing {w}
          - since {d} i cannot find the {p} card
          - lost on {d}, my {p} card is gone
          - on {d} my {p} card went missing
          - it is gone, i dropped the {p} card {w}

          card-stolen security
          + someone stole my {p} card {w}
          + my {p} card was stolen on {d}
          + a thief took my {p} card
          + thieves have my {p} card
          + i was robbed {w} and they took my {p} card
          + somebody has stolen the {p} card
          + my bag with the {p} card was stolen {w}
          + they stole my bag and my {p} card
          - on {d} someone stole the {p} card
          - the {p} card was taken by a thief {w}
          - i was robbed on {d}, the {p} card was stolen
          - a thief has stolen my bag and the {p} card

          card-limit accounts
          + raise the limit of my {p} card
          + i want a higher limit on my {p} card
          + can you increase my {p} card limit
          + my {p} limit is too low
          + change the limit for the {p} card by {d}
          + i need to spend more, raise my {p} limit
          + set a higher spending limit for {d}
          + the limit of the {p} card should be lower
          - increase the limit for my {p} card
          - is a higher {p} card limit possible
          - my spending limit on the {p} card is too low
          - from {d} i need a higher limit, {p} card

          card-fee accounts
          + why was i charged a fee for my {p} card
          + there is a fee on my {p} card
          + you charged me twice for the {p} card
          + i do not want to pay the {p} card fee
          + which fee did you charge on {d}
          + the charge for the {p} card is wrong
          + i was charged too much for my {p} card
          + explain the fee of {d} to me
          - why did you charge a fee on {d}, {p} card
          - i see a wrong charge for the {p} card
          - explain why i pay this {p} card fee
          - i was charged a {p} card fee on {d}

          card-pin access
          + i forgot the pin of my {p} card
          + how do i change my {p} card pin
          + my pin for the {p} card does not work
          + i need a new pin for the {p} card
          + send me the pin of the {p} card by {d}
          + the pin is wrong {w}
          + i entered the wrong pin {w}
          + remind me of my {p} pin
          - the {p} card pin, i forgot it
          - i want to change the pin of my {p} card
          - send a new pin for my {p} card
          - my {p} pin does not work {w}

          card-activate access
          + how do i activate my {p} card
          + activate the new {p} card
          + my {p} card is new, how do i start using it
          + please switch on my new {p} card
          + i got my {p} card on {d}, now activate it
          + the {p} card is not active yet
          + make my new {p} card active
          + start my {p} card for me
          + the new {p} card is here, activate it
          - i want to activate a new {p} card
          - on {d} i got the {p} card, it is not active
          - switch on the new {p} card by {d}
          - how can i start using the new {p} card

          card-delivery post
          + when will my {p} card arrive
          + my {p} card has not arrived yet
          + i am waiting for the {p} card since {d}
          + where is the letter with my {p} card
          + how long does the {p} card delivery take
          + the post did not deliver my {p} card
          + did you send the {p} card to me
          + will the {p} card be delivered on {d}
          - the {p} card has not been delivered
          - will my {p} card arrive on {d}
          - i am still waiting for my {p} card to arrive
          - how long until the post delivers the {p} card

          card-declined payments
          + my {p} card was declined {w}
          + the shop refused my {p} card
          + payment with the {p} card does not go through
          + why was my {p} card refused {w}
          + they did not accept my {p} card {w}
          + my {p} card payment was declined on {d}
          + the machine rejects my {p} card
          + my {p} card got rejected {w}
          - on {d} the machine refused my {p} card
          - why do they not accept the {p} card {w}
          - a payment with my {p} card was declined {w}
          - the {p} card got rejected again on {d}

          card-broken post
          + my {p} card is broken
          + the chip of my {p} card is damaged
          + i bent my {p} card {w}
          + my {p} card is cracked, replace it
          + the {p} card broke in two pieces
          + my dog damaged the {p} card
          + i need a replacement, my {p} card is damaged
          + the chip does not read, it is scratched {w}
          - the {p} card is cracked and the chip is broken
          - my {p} card was damaged {w}
          - it broke on {d}, replace my {p} card
          - i bent the {p} card and need a replacement

          card-abroad travel
          + can i use my {p} card abroad
          + does the {p} card work in other countries
          + i travel to spain, will my {p} card work
          + i fly to japan on {d}, can i pay by card
          + is my {p} card accepted in foreign countries
          + i am going abroad with my {p} card
          + will i pay more with my {p} card in norway
          + use of the {p} card during my trip abroad
          - does my {p} card work abroad in japan
          - on {d} i travel to norway, is my {p} card accepted
          - my trip to spain, can i use the {p} card
          - i fly to foreign countries with the {p} card
          """);

  /** What the cards desk is asked from wave 1 on. */
  static final List<Intent> NEW_CARDS =
      parse(
          """
          card-freeze security
          + freeze my {p} card until {d}
          + i want to pause my {p} card
          + please freeze the {p} card for some days
          + can i pause the {p} card until {d}
          + put my {p} card on hold
          + lock my {p} card for a short time
          + how do i freeze and unfreeze my {p} card
          + hold the {p} card until i am back
          - pause the {p} card for some days
          - lock and freeze my {p} card until {d}
          - i want the {p} card on hold
          - until {d} please freeze the {p} card

          card-phone access
          + add my {p} card to my phone
          + i want to pay with my phone and the {p} card
          + put the {p} card in my phone wallet
          + does the {p} card work with a watch
          + connect my {p} card to the phone
          + my phone wallet does not show the {p} card
          + pay by watch with the {p} card {w}
          + the wallet on my phone lost my {p} card
          - add the {p} card to the wallet
          - how do i pay by phone with my {p} card
          - connect the {p} card to my watch
          - my phone does not show my {p} card {w}

          card-points travel
          + how many points does my {p} card have
          + where do i see my bonus points
          + i want to use the points of my {p} card
          + my bonus from {d} is missing points
          + do i earn points with the {p} card
          + turn my points into a gift by {d}
          + the {p} card points are not counted
          + when do my {p} points end
          - use my {p} card bonus points
          - how many bonus points do i earn {w}
          - i do not see the points from {d}
          - turn {p} card points into a gift
          """);

  /** What the payments desk is asked. */
  static final List<Intent> PAYMENTS =
      parse(
          """
          pay-send transfers
          + i want to send {a} euros to {n}
          + how do i send money to {n}
          + make a transfer of {a} euros to {n}
          + please pay {a} euros to {n}
          + transfer {a} euros to {n} on {d}
          + i would like to make a payment to {n}
          + move {a} euros over to {n}
          + give {n} {a} euros from my account
          + send {n} the money by {d}
          + i have to send {a} euros to {n} on {d}
          - send money to {n} on {d}
          - on {d} transfer {a} euros to {n}
          - i would like to send {n} {a} euros
          - make a payment of {a} euros to {n}

          pay-pending transfers
          + my transfer to {n} is still pending
          + the payment of {a} euros is not there yet
          + {n} did not receive my {a} euros yet
          + why does my transfer take so long
          + the transfer from {d} is still on its way
          + how long until {n} receives the money
          + i sent {a} euros on {d} and it is still pending
          + is my payment to {n} still on its way
          - the {a} euros for {n} are still pending
          - why does the transfer to {n} take so long
          - {n} did not receive the transfer from {d} yet
          - the payment to {n} is still on its way

          pay-failed transfers
          + my transfer to {n} failed
          + the payment of {a} euros did not work
          + an error stopped my transfer on {d}
          + the app shows an error when i pay {n}
          + transfer failed with an error
          + i tried to pay {n} but it failed
          + sending {a} euros gives an error
          + the payment to {n} came back with an error
          - the transfer of {a} euros failed
          - when i pay {n} the app gives an error
          - on {d} the payment to {n} did not work
          - i tried sending {a} euros, it failed

          pay-cancel transfers
          + cancel my transfer to {n}
          + stop the payment of {a} euros
          + i want to take back my transfer to {n}
          + please undo the payment from {d}
          + i sent {a} euros by mistake, cancel it
          + the transfer to {n} was a mistake
          + undo my transfer of {a} euros
          + call back the {a} euros i sent to {n}
          - stop and undo my transfer to {n}
          - cancel the payment from {d}
          - take back the {a} euros, it was a mistake
          - please cancel the transfer of {a} euros

          pay-balance accounts
          + what is my balance
          + how much money do i have on {d}
          + show me the balance of my account
          + is there enough in my account for {a} euros
          + tell me how much is left in my account
          + do i still have {a} euros left
          + check the balance for {n}
          + how much is in my account
          - tell me the balance of my account on {d}
          - how much money is left on {d}
          - show how much is in the account of {n}
          - check if i have {a} euros left

          pay-statement accounts
          + send me the statement for {d}
          + i need a list of my payments to {n}
          + where can i download my statement
          + print my statement from {d}
          + i need the statement as a file
          + show a list of payments over {a} euros
          + download the receipt for {n}
          + i need a receipt for {a} euros
          - download a statement from {d}
          - print the list of my payments over {a} euros
          - download a receipt for {a} euros
          - i need the statement for {n} as a file

          pay-debit orders
          + set up a standing order of {a} euros to {n}
          + pay {n} {a} euros every month
          + i want a monthly payment to {n}
          + stop the direct debit of {n}
          + a direct debit of {a} euros is wrong
          + change my standing order for {n}
          + every {d} send {a} euros to {n}
          + which direct debit was taken on {d}
          - a standing order to {n} every month
          - the direct debit on {d} is wrong
          - set up a monthly payment of {a} euros
          - change the direct debit of {n} to {a} euros

          pay-refund orders
          + the shop owes me a refund of {a} euros
          + where is my refund from {n}
          + i returned the goods and want my money back
          + when do i get the {a} euros back from the shop
          + my refund did not come on {d}
          + i sent the goods back, refund me
          + {n} has to refund {a} euros
          + the shop did not pay me back
          - i want the refund of {a} euros from the shop
          - the goods are returned, where is the refund of {n}
          - when do i get my refund of {a} euros
          - the shop has to pay me back {a} euros

          pay-rate travel
          + what is the exchange rate today
          + how many dollars are {a} euros
          + change {a} euros into dollars
          + which rate do you use for pounds
          + i want to exchange {a} euros for pounds
          + is the dollar rate good on {d}
          + the exchange rate on {d} was bad
          + how many pounds do i get for {a} euros
          - exchange {a} euros into dollars
          - which exchange rate is there on {d}
          - how many dollars do i get for {a} euros
          - what is the rate for pounds on {d}

          pay-topup accounts
          + top up my account with {a} euros
          + i want to add {a} euros to my account
          + how can i load money on my account
          + put {a} euros in my account by {d}
          + i want to deposit {a} euros in cash
          + load {a} euros for {n}
          + where can i deposit cash
          + top up the account of {n}
          - deposit {a} euros on my account
          - i want to top up with {a} euros on {d}
          - add {a} euros in cash to the account of {n}
          - how can i load {a} euros
          """);

  private static List<Intent> parse(String text) {
    List<Intent> intents = new ArrayList<>();
    for (String block : text.strip().split("\n\\s*\n")) {
      List<String> train = new ArrayList<>();
      List<String> test = new ArrayList<>();
      String[] lines = block.strip().split("\n");
      String[] head = lines[0].strip().split(" ");
      for (int i = 1; i < lines.length; i++) {
        String line = lines[i].strip();
        (line.startsWith("+ ") ? train : test).add(line.substring(2));
      }
      intents.add(new Intent(head[0], head[1], train, test));
    }
    return List.copyOf(intents);
  }
}
