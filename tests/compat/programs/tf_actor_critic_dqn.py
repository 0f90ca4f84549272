# tf.keras: actor-critic with one tape over an episode and tf.TensorArray, and a DQN update, on a corridor of our own
import collections

import numpy as np
import tensorflow as tf

np.random.seed(3)
tf.random.set_seed(3)
eps = np.finfo(np.float32).eps.item()


class Corridor:
    def reset(self):
        self.place, self.steps = 2, 0
        return self.state()

    def state(self):
        return np.eye(6, dtype='float32')[self.place]

    def step(self, action):
        self.place, self.steps = max(0, self.place + (1 if action == 1 else -1)), self.steps + 1
        done = self.place == 5 or self.steps == 20
        return self.state(), 1.0 if self.place == 5 else -0.05, done, {}


env = Corridor()


class ActorCritic(tf.keras.Model):
    def __init__(self, num_actions, num_hidden_units):
        super().__init__()
        self.common = tf.keras.layers.Dense(num_hidden_units, activation="relu")
        self.actor = tf.keras.layers.Dense(num_actions)
        self.critic = tf.keras.layers.Dense(1)

    def call(self, inputs):
        x = self.common(inputs)
        return self.actor(x), self.critic(x)


model = ActorCritic(2, 16)
huber_loss = tf.keras.losses.Huber(reduction='sum')
optimizer = tf.keras.optimizers.Adam(learning_rate=0.02)
running_reward = collections.deque(maxlen=10)
lengths = []
for episode in range(25):
    state, done = env.reset(), False
    with tf.GradientTape() as tape:
        probs, values, rewards = [], [], []
        while not done:
            logits, value = model(tf.expand_dims(tf.convert_to_tensor(state), 0))
            action_probs = tf.nn.softmax(logits)
            action = np.random.choice(2, p=np.squeeze(action_probs))
            probs.append(tf.math.log(action_probs[0, action]))
            values.append(value[0, 0])
            state, reward, done, _ = env.step(action)
            rewards.append(reward)
        returns, total = [], 0.
        for r in rewards[::-1]:
            total = r + 0.95 * total
            returns.insert(0, total)
        returns = np.array(returns, 'float32')
        actor_losses, critic_losses = [], []
        for log_prob, value, ret in zip(probs, values, returns):
            actor_losses.append(-log_prob * (ret - value))
            critic_losses.append(huber_loss(tf.expand_dims(value, 0), tf.expand_dims(ret, 0)))
        loss = sum(actor_losses) + sum(critic_losses)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    lengths.append(len(rewards))
    running_reward.append(sum(rewards))
print('steps per episode', lengths, 'reward', np.mean(running_reward))
assert np.mean(lengths[-8:]) < np.mean(lengths[:8]), lengths

q_network = tf.keras.Sequential([tf.keras.layers.Dense(24, activation='relu', input_shape=(6,)), tf.keras.layers.Dense(2)])
target_network = tf.keras.models.clone_model(q_network)
target_network.set_weights(q_network.get_weights())
optimizer = tf.keras.optimizers.Adam(learning_rate=0.01)


@tf.function
def update(states, actions, rewards, next_states, dones):
    next_q = tf.reduce_max(target_network(next_states), axis=-1)
    target = rewards + (1.0 - dones) * 0.9 * next_q
    with tf.GradientTape() as tape:
        q = tf.reduce_sum(q_network(states) * tf.one_hot(actions, 2), axis=-1)
        loss = tf.reduce_mean(tf.keras.losses.mean_squared_error(target[:, tf.newaxis], q[:, tf.newaxis]))
    grads = tape.gradient(loss, q_network.trainable_variables)
    grads, _ = tf.clip_by_global_norm(grads, 5.0)
    optimizer.apply_gradients(zip(grads, q_network.trainable_variables))
    return loss


memory = []
state = env.reset()
for _ in range(400):
    action = np.random.randint(2)
    following, reward, done, _ = env.step(action)
    memory.append((state, action, np.float32(reward), following, np.float32(done)))
    state = env.reset() if done else following
for step in range(150):
    batch = [memory[i] for i in np.random.randint(len(memory), size=32)]
    states, actions, rewards, following, dones = map(np.array, zip(*batch))
    loss = update(states, actions, rewards, following, dones)
    if step % 25 == 0:
        target_network.set_weights(q_network.get_weights())
best = tf.argmax(q_network(np.eye(6, dtype='float32')[:5]), axis=1).numpy()
print('best actions', best, 'loss', loss.numpy())
assert best.tolist() == [1, 1, 1, 1, 1], best
