# Keras 2: deep Q-learning with an LSTM over the last observations: model and target model, replay memory, predict and fit in a loop
from __future__ import print_function
import random
from collections import deque

import numpy as np
from keras.layers import LSTM, Dense
from keras.models import Sequential
from keras.optimizers import Adam

np.random.seed(13)
random.seed(13)


class Corridor(object):
    """A hint in the first step says which end has the reward; one must remember it."""

    def reset(self):
        self.place = 2
        self.time = 0
        self.hint = random.choice([-1., 1.])
        return np.array([self.hint, 0., self.place / 4.])

    def step(self, action):
        self.time += 1
        self.place += 1 if action == 1 else -1
        done = self.place in (0, 4) or self.time == 6
        reward = 0.
        if self.place in (0, 4):
            reward = 1. if (self.place == 4) == (self.hint > 0) else -1.
        return np.array([0., 1., self.place / 4.]), reward, done, {}


class DQNAgent:
    def __init__(self, state_size, action_size, length):
        self.state_size = state_size
        self.action_size = action_size
        self.length = length
        self.memory = deque(maxlen=1000)
        self.gamma = 0.9  # discount rate
        self.epsilon = 1.0  # exploration rate
        self.epsilon_min = 0.05
        self.epsilon_decay = 0.95
        self.learning_rate = 0.01
        self.model = self._build_model()
        self.target_model = self._build_model()
        self.update_target_model()

    def _build_model(self):
        model = Sequential()
        model.add(LSTM(16, input_shape=(self.length, self.state_size), activation='tanh'))
        model.add(Dense(16, activation='relu'))
        model.add(Dense(self.action_size, activation='linear'))
        model.compile(loss='mse', optimizer=Adam(lr=self.learning_rate))
        return model

    def update_target_model(self):
        # copy weights from model to target_model
        self.target_model.set_weights(self.model.get_weights())

    def remember(self, state, action, reward, next_state, done):
        self.memory.append((state, action, reward, next_state, done))

    def act(self, state):
        if np.random.rand() <= self.epsilon:
            return random.randrange(self.action_size)
        act_values = self.model.predict(state)
        return np.argmax(act_values[0])  # returns action

    def replay(self, batch_size):
        minibatch = random.sample(self.memory, batch_size)
        states = np.concatenate([one[0] for one in minibatch])
        following = np.concatenate([one[3] for one in minibatch])
        target = self.model.predict(states)
        ahead = self.target_model.predict(following)
        for i, (state, action, reward, next_state, done) in enumerate(minibatch):
            target[i][action] = reward if done else reward + self.gamma * np.amax(ahead[i])
        self.model.fit(states, target, epochs=1, verbose=0, batch_size=batch_size)
        if self.epsilon > self.epsilon_min:
            self.epsilon *= self.epsilon_decay


def window(history, length):
    rows = np.zeros((1, length, len(history[0])))
    for i, observation in enumerate(history[-length:]):
        rows[0, i] = observation
    return rows


env = Corridor()
agent = DQNAgent(3, 2, 7)
scores = []
for e in range(120):
    history = [env.reset()]
    total = 0
    while True:
        state = window(history, agent.length)
        action = agent.act(state)
        observation, reward, done, _ = env.step(action)
        history.append(observation)
        agent.remember(state, action, reward, window(history, agent.length), done)
        total += reward
        if done:
            break
    scores.append(total)
    if len(agent.memory) > 64:
        for _ in range(3):
            agent.replay(32)
    if e % 10 == 0:
        agent.update_target_model()
        print("episode: {}/120, score: {:.1f}, e: {:.2}".format(e, np.mean(scores[-10:]), agent.epsilon))

print('first', np.mean(scores[:30]), 'last', np.mean(scores[-30:]))
assert np.mean(scores[-30:]) > 0.5 and np.mean(scores[-30:]) > np.mean(scores[:30]), scores
# it remembers the hint: the same place, other hints, other actions
left = window([np.array([-1., 0., 0.5]), np.array([0., 1., 0.25])], agent.length)
right = window([np.array([1., 0., 0.5]), np.array([0., 1., 0.75])], agent.length)
assert agent.model.predict(left)[0].argmax() == 0 and agent.model.predict(right)[0].argmax() == 1
